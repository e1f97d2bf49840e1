// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable import HTTPService

/// Where a browser is sent after signing in, and what it said it would rather see.
@Suite struct ReturnTargetTests {
    static let rows: [(text: String?, path: String)] = [
        (nil, "/console/"), ("", "/console/"), ("/", "/"), ("/console/", "/console/"),
        ("/console/#audit", "/console/#audit"), ("/audit?n=200&q=a%3Db", "/audit?n=200&q=a%3Db"),
        ("//evil.example", "/console/"), ("/\\evil.example", "/console/"), ("/a//b", "/console/"),
        ("\\\\evil", "/console/"), ("https://evil.example/", "/console/"), ("evil", "/console/"),
        ("/\t/evil.example", "/console/"), ("/\n/evil", "/console/"), ("/a b", "/console/"), ("/é", "/console/"),
        (" /console/", "/console/"),
        ("/" + String(repeating: "a", count: 2047), "/" + String(repeating: "a", count: 2047)),
        ("/" + String(repeating: "a", count: 2048), "/console/"), ("javascript:alert(1)", "/console/"),
    ]

    @Test(arguments: rows.indices) func staysOnThisHost(_ index: Int) {
        #expect(ReturnTarget.path(Self.rows[index].text) == Self.rows[index].path)
    }

    /// Whatever is asked for, the answer is a path that a browser takes for one, and stands in the page as an attribute.
    @Test func isAlwaysAPath() {
        let random = SeededRandom(seed: 0x7A26E7)
        let parts = ["/", "\\", "\t", "\u{0}", "a", ".", "\"", "<", ">", "&", "'", ":", "@", "%2f", "\u{2028}", "é"]
        for _ in 0..<FuzzCases.count(5000) {
            let text = (0...random.below(8)).map { _ in parts[random.below(parts.count)] }.joined()
            let path = ReturnTarget.path(text)
            #expect(path.hasPrefix("/") && !path.contains("//") && !path.contains("\\"))
            #expect(path.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            let attribute = ConsoleRoutes.escaped(path)
            #expect(!attribute.contains { "<>\"'".contains($0) })
        }
    }

    static let accepts: [(lines: [String], prefers: Bool)] = [
        ([], false), (["text/html"], true), (["TEXT/HTML"], true), (["*/*"], false), (["text/*"], false),
        (["text/html;q=0"], false), (["text/html;q=0.5, application/json;q=0.4"], true),
        (["text/html;q=0.4, application/json;q=0.5"], false), (["application/json", "text/html"], true),
        (["text/html;level=1;q=0.7"], true), (["text/html;q=x"], false), (["text/html;q=2"], false),
        (["application/xhtml+xml"], true), (["text/htmlx"], false), ([";;,,q=1,"], false),
    ]

    @Test(arguments: accepts.indices) func readsAccept(_ index: Int) {
        let row = Self.accepts[index]
        #expect(AcceptField.prefersHTML(HeaderList(row.lines.map { ("Accept", $0) })) == row.prefers)
    }

    @Test func survivesEveryAccept() {
        let random = SeededRandom(seed: 0xACCE97)
        for _ in 0..<FuzzCases.count(3000) {
            var bytes = Array("text/html;q=0.9, application/json;q=0.1".utf8)
            for _ in 0...random.below(4) {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let first = AcceptField.prefersHTML(HeaderList([("accept", text)]))
            #expect(first == AcceptField.prefersHTML(HeaderList([("accept", " " + text + " ")])))
            if first { #expect(ASCII.lowercased(text).contains("html") || ASCII.lowercased(text).contains("xml")) }
        }
    }
}
