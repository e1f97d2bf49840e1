// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authorization

@Suite struct RouteTableTests {
    static func rule(_ methods: [String], _ path: String) -> JSONValue {
        ["methods": .strings(methods), "path": .string(path), "permission": "tasks:read"]
    }

    static func display(_ table: RouteTable, _ method: String, _ path: String) throws -> String? {
        table.match(method: method, path: try ShippedPolicy.path(path))?.display
    }

    @Test func theFirstMatchWins() throws {
        let table = try RouteTable(document: [
            Self.rule(["POST"], "/a/b"), Self.rule(["GET"], "/a/{x}"), Self.rule(["*"], "/a/b"),
            Self.rule(["GET"], "/mcp/**"),
            Self.rule(["LINK", "OPTIONS"], "/a/b"), Self.rule(["GET"], "/"),
        ])
        #expect(try Self.display(table, "GET", "/a/b") == "GET /a/{x}")
        #expect(try Self.display(table, "HEAD", "/a/b") == "GET /a/{x}")
        #expect(try Self.display(table, "POST", "/a/b") == "POST /a/b")
        #expect(try Self.display(table, "LINK", "/a/b") == "LINK /a/b")
        #expect(try Self.display(table, "UNLINK", "/a/b") == "UNLINK /a/b")
        #expect(try Self.display(table, "OPTIONS", "/a/b") == "OPTIONS /a/b")
        #expect(try Self.display(table, "TRACE", "/a/b") == nil)
        #expect(try Self.display(table, "CONNECT", "/a/b") == nil)
        #expect(try Self.display(table, "GET", "/mcp") == "GET /mcp/**")
        #expect(try Self.display(table, "GET", "/mcp/a/b/c") == "GET /mcp/**")
        #expect(try Self.display(table, "GET", "/mcpx") == nil)
        #expect(try Self.display(table, "GET", "/") == "GET /")
        #expect(try Self.display(table, "GET", "/A/b") == nil)
        #expect(try Self.display(table, "get", "/a/c") == nil)
    }

    @Test func capturesBecomeAttributes() throws {
        let table = try RouteTable(document: [
            Self.rule(["GET"], "/t/{tenant}/{project}/u/{user}/{type}/{id}/{other}/**")
        ])
        let match = table.match(method: "GET", path: try ShippedPolicy.path("/t/t1/p1/u/u%201/ty/i1/o/x/y"))
        #expect(match?.captures == ResourceAttributes(type: "ty", id: "i1", owner: "u 1", tenant: "t1", project: "p1"))
    }

    /// Literals are compared as bytes: composed and decomposed letters are two paths.
    @Test func bytesAreCompared() throws {
        let table = try RouteTable(document: [Self.rule(["GET"], "/caf\u{e9}"), Self.rule(["GET"], "/k")])
        #expect(try Self.display(table, "GET", "/caf\u{e9}") != nil)
        #expect(try Self.display(table, "GET", "/cafe\u{301}") == nil)
    }

    @Test func namesRulesThatNeverMatch() throws {
        func unreachable(_ rules: [JSONValue]) throws -> [[Int]] {
            try RouteTable(document: .array(rules)).unreachable.map { [$0.rule, $0.coveredBy] }
        }
        #expect(try unreachable([Self.rule(["GET"], "/a/**"), Self.rule(["GET"], "/a/{x}")]) == [[1, 0]])
        #expect(try unreachable([Self.rule(["GET"], "/a/{x}"), Self.rule(["GET"], "/a/b")]) == [[1, 0]])
        #expect(try unreachable([Self.rule(["GET"], "/a/b"), Self.rule(["GET"], "/a/{x}")]) == [])
        #expect(try unreachable([Self.rule(["*"], "/a"), Self.rule(["GET", "X"], "/a")]) == [[1, 0]])
        #expect(try unreachable([Self.rule(["*"], "/a"), Self.rule(["OPTIONS", "GET"], "/a")]) == [])
        #expect(try unreachable([Self.rule(["GET"], "/a"), Self.rule(["*"], "/a")]) == [])
        let split = [Self.rule(["GET"], "/a"), Self.rule(["POST"], "/{x}"), Self.rule(["GET", "POST"], "/a")]
        #expect(try unreachable(split) == [[2, 0]])
        let parts = [Self.rule(["GET"], "/a"), Self.rule(["GET"], "/a/{x}/**"), Self.rule(["GET"], "/a/**")]
        #expect(try unreachable(parts).map { $0[0] } == [2])
        #expect(try unreachable([Self.rule(["GET"], "/a/{x}/**"), Self.rule(["GET"], "/a/**")]) == [])
    }

    @Test(arguments: [
        "a", "", "/a//b", "/a/", "/a/**/b", "/a*", "/{a}/{a}", "/{}", "/{a}b", "/%41", "/a/..", "/..;x", "/**/",
    ])
    func refusesPatterns(_ path: String) {
        #expect(throws: RouteTableError.self) { try RouteTable(document: [Self.rule(["GET"], path)]) }
    }

    @Test(arguments: [
        #"{"methods":["GET"],"path":"/a"}"#, #"{"methods":["GET"],"path":"/a","public":true,"permission":"a:b"}"#,
        #"{"methods":["GET"],"path":"/a","public":false}"#, #"{"methods":[],"path":"/a","public":true}"#,
        #"{"methods":["HEAD"],"path":"/a","public":true}"#, #"{"methods":["G T"],"path":"/a","public":true}"#,
        #"{"methods":["GET"],"path":"/a","permission":"a:*"}"#, #"{"methods":["GET"],"path":"/a","public":"yes"}"#,
        #"{"methods":["GET"],"path":"/a","public":true,"metering":{}}"#,
        #"{"methods":["GET"],"path":"/a","permission":"a:b","ownership":"default"}"#,
        #"{"methods":["GET"],"path":"/a","permission":"a:b","signed":"stripe"}"#,
        #"{"methods":["GET"],"path":"/a","permission":"a:b","unknown":1}"#, "3",
    ])
    func refusesRules(_ text: String) throws {
        let rule = try JSONParser.parse(text: text)
        let error = #expect(throws: RouteTableError.self) { try RouteTable(document: [rule], source: .authConfig) }
        #expect(error?.problems.allSatisfy { $0.index == 0 } == true)
    }

    @Test func boundsTheList() throws {
        let rules = (0..<513).map { Self.rule(["GET"], "/r\($0)") }
        #expect(throws: RouteTableError.self) { try RouteTable(document: .array(rules), source: .authConfig) }
        #expect(try RouteTable(document: .array(rules)).rules.count == 513)
        #expect(throws: RouteTableError.self) { try RouteTable(document: ["version": 2, "rules": []]) }
        #expect(throws: RouteTableError.self) { try RouteTable(document: ["rules": []]) }
        #expect(throws: RouteTableError.self) { try RouteTable(document: "x") }
    }

    /// The compiled look-up agrees with reading the list from the top, over random lists and paths.
    @Test func agreesWithTheNaiveScan() throws {
        let random = SeededRandom(seed: 42)
        let words = ["a", "b", "c", "{x}", "{y}", "**"]
        let methodLists = [["GET"], ["POST", "GET"], ["*"], ["OPTIONS"], ["LINK"], ["DELETE", "PATCH"]]
        let asked = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "LINK", "OTHER"]
        var compared = 0
        var matched = 0
        for _ in 0..<400 {
            var patterns: [(RoutePattern, [String])] = []
            var rules: [JSONValue] = []
            while rules.count < 12 {
                let text =
                    "/" + (0..<random.below(5)).map { _ in words[random.below(words.count)] }.joined(separator: "/")
                guard let pattern = try? RoutePattern(text) else { continue }  // Only good patterns are wanted.
                let methods = methodLists[random.below(methodLists.count)]
                patterns.append((pattern, methods))
                rules.append(Self.rule(methods, text))
            }
            let table = try RouteTable(document: .array(rules))
            let dead = Set(table.unreachable.map(\.rule))
            for _ in 0..<100 {
                let segments = (0..<random.below(5)).map { _ in ["a", "b", "c", "d"][random.below(4)] }
                let method = asked[random.below(asked.count)]
                let naive = patterns.firstIndex { $0.0.matches(segments) && Self.covers($0.1, method) }
                let path = try ShippedPolicy.path("/" + segments.joined(separator: "/"))
                let found = table.match(method: method, path: path)?.rule.index
                #expect(found == naive, "\(method) \(path.text) in \(rules.map(\.jsonText))")
                if let naive { #expect(!dead.contains(naive)) }
                compared += 1
                matched += naive == nil ? 0 : 1
            }
        }
        #expect(compared == 40_000)
        #expect(matched > 10_000)
    }

    static func covers(_ methods: [String], _ asked: String) -> Bool {
        let method = asked == "HEAD" ? "GET" : asked
        if methods.contains(method) { return true }
        return methods.contains("*") && !["OPTIONS", "TRACE", "CONNECT"].contains(method)
    }
}
