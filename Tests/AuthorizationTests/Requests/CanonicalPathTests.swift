// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import TestSupport
internal import Testing

@Suite struct CanonicalPathTests {
    static let segments64 = String(repeating: "/a", count: 64)

    @Test(arguments: [
        ("", "/"), ("?", "/"), ("/a?b?c", "/a"), ("https://h", "/"), ("https://h?x", "/"), ("http://u@h:1//", nil),
        ("/a/%2Eb", "/a/.b"), ("/.well-known/x", "/.well-known/x"), ("/%3Fx", "/?x"), (segments64, segments64),
        (segments64 + "/", segments64), ("/a/.hidden/", "/a/.hidden"), ("/...", "/..."),
    ])
    func reads(_ raw: String, _ expected: String?) {
        let path = try? CanonicalPath.parse(raw).get()  // A refusal is the claim where nil is expected.
        #expect(path?.text == expected)
    }

    @Test(arguments: [
        ("/a#b\\c", PathFault.fragment), ("/a\\b#c", .badCharacter), ("x\u{1}", .badCharacter),
        ("/" + String(repeating: "a", count: 4096), .tooLong),
        ("a" + String(repeating: "a", count: 4096), .notAbsolute),
        (segments64 + "/a", .tooManySegments), (segments64 + "/..", .tooManySegments), ("//", .emptySegment),
        ("/%2e", .dotSegment), ("/a/.;x", .dotParameter), ("/%2e%2e;/x", .dotParameter), ("/a/%c3%28", .badUTF8),
        ("/%7f", .controlCharacter), ("/%ff%2f", .encodedSlash), ("/../a//b", .dotSegment),
        ("/a?\u{7f}", .badCharacter),
        ("https://h\\x/", .badCharacter), ("https://h/%", .badEscape), ("/.", .dotSegment), ("/a/../", .dotSegment),
    ])
    func refuses(_ raw: String, _ fault: PathFault) {
        #expect(CanonicalPath.parse(raw) == .failure(fault))
    }

    @Test func keepsTheQueryAsItIs() throws {
        #expect(try ShippedPolicy.path("/a?x=%2f//").query == "x=%2f//")
        #expect(try ShippedPolicy.path("/a?").query == "")
        #expect(try ShippedPolicy.path("/a").query == nil)
        #expect(try ShippedPolicy.path("/a%20b/c?x").segments == ["a b", "c"])
        #expect(try ShippedPolicy.path("/").segments == [])
    }

    /// What parses is canonical, whatever the input; and stays itself where nothing in it has a meaning in a target.
    @Test func fuzzedTargetsThatParseAreCanonical() {
        let random = SeededRandom(seed: 7)
        let pieces = [
            "/", "/", "/", "a", "b", ".", "..", ";", "%2e", "%2E", "%41", "%2f", "%5c", "%25", "%00", "%c3%a9", "%ff",
            "%",
            "?", "#", "\\", "\u{7f}", "é", " ", "http://h", ":", "*", "%3f", "{", "~",
        ]
        var parsed = 0
        for _ in 0..<FuzzCases.count(30_000) {
            let head = random.below(10) == 0 ? "" : "/"
            let raw = head + (0..<random.below(9)).map { _ in pieces[random.below(pieces.count)] }.joined()
            guard case .success(let path) = CanonicalPath.parse(raw) else { continue }
            parsed += 1
            #expect(path.text.utf8.first == UInt8(ascii: "/"), "\(raw)")
            #expect(!path.text.contains("//"), "\(raw)")
            #expect(path.text == "/" || !path.text.hasSuffix("/"), "\(raw)")
            for segment in path.segments {
                #expect(segment != "." && segment != ".." && !segment.hasPrefix(".;") && !segment.hasPrefix("..;"))
            }
            if !path.text.contains(where: { "?#%\\".contains($0) }) {
                // Nil fails the claim.
                #expect((try? CanonicalPath.parse(path.text).get())?.text == path.text, "\(raw)")
            }
        }
        #expect(parsed > 5000)
    }
}
