// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ResourceModel
internal import TestSupport
internal import Testing

@Suite struct CustomResourceDefinitionTests {
    @Test(arguments: ResourceKind.own)
    func committedDefinitionsAreWhatTheModelSays(kind: ResourceKind) throws {
        let file = Repository.root.appending(path: "crds/\(CustomResourceDefinitions.fileName(kind))")
        let text = CustomResourceDefinitions.yaml(kind)
        if ProcessInfo.processInfo.environment["TOLLGATE_UPDATE_FIXTURES"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
        #expect(text == CustomResourceDefinitions.yaml(kind))
    }

    @Test func definitionsCarryNamesRulesAndColumns() {
        let text = CustomResourceDefinitions.yaml
        for part in [
            "tgauth", "tgtoken", "tgsub", "tgtool", "- tollgate", "x-kubernetes-validations", "selectableFields",
            "x-kubernetes-list-map-keys", "oldSelf", "Next Rotation", "priority: 1",
        ] { #expect(text.contains(part), "\(part) is missing") }
    }

    static let patterns: [(String, TextPattern, [String])] = [
        (
            "duration", TextPattern.duration,
            ["30s", "0s", "0m", "01s", "9999999h", "10000000h", "s", "", "1d", "1 s", "-1s"]
        ),
        ("name", .issuerName, ["a", "A", "", "a-b", "a_b", String(repeating: "a", count: 64)]),
        ("plan", .planName, ["team", "1team", "t", "t-_9", "T", ""]),
        ("label", .dnsLabel, ["a", "-a", "a-", "a.b", "a-b", String(repeating: "a", count: 64), ""]),
        ("subdomain", .dnsSubdomain, ["a", "a.b", "a..b", ".a", "a-.b", "a.b-c", "A", ""]),
        (
            "scope", .scope,
            ["a", "*", "a:*", "a:b:c:d", "a:b:c:d:e", "a:b:c:*", "a:b:c:d:*", "a:", ":a", "a:*:b", "", "*:a"]
        ),
        ("method", .method, ["GET", "get", "*", "**", ""]),
        ("path", .path, ["/", "/a/{b}", "a", "/a b", "/a?b", "/a#b", ""]),
        (
            "url", .webURL,
            ["https://a", "http://a/b", "ftp://a", "https://", "https://u@a/", "https://a/b#c", "https://a b"]
        ),
        ("header", .headerName, ["X-A", "X_A", "", "X A"]),
        ("key", .dataKey, ["a.b_c-D", "a/b", ""]),
        (
            "attribute", .ruleAttribute,
            [
                "request.method", "request.headers.x-a", "request.headers.X", "principal.claims.a.b",
                "principal.claims.", "other", "tool.id",
            ]
        ),
    ]

    @Test(arguments: patterns)
    func patternsAndFunctionsAgree(name: String, pattern: TextPattern, texts: [String]) throws {
        let expression = try NSRegularExpression(pattern: pattern.expression)
        for text in texts {
            let matches = expression.firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count)) != nil
            #expect(pattern.accepts(text) == matches, "\(name): \(text)")
        }
    }
}
