// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authorization

@Suite struct RouteOverlapTests {
    private static func overlaps(_ rules: [(methods: [String], path: String, permission: String)]) throws -> [[Int]] {
        let documents: [JSONValue] = rules.map {
            ["methods": .strings($0.methods), "path": .string($0.path), "permission": .string($0.permission)]
        }
        return try RouteTable(document: .array(documents)).overlaps.map { [$0.earlier, $0.later] }
    }

    @Test func namesRulesThatCrossEachOther() throws {
        #expect(try Self.overlaps([(["GET"], "/{x}/b", "a:b"), (["GET"], "/a/{y}", "a:c")]) == [[0, 1]])
        #expect(try Self.overlaps([(["GET", "POST"], "/a", "a:b"), (["POST", "PUT"], "/a", "a:c")]) == [[0, 1]])
        #expect(try Self.overlaps([(["GET"], "/a/**", "a:b"), (["GET", "PUT"], "/a/b", "a:c")]) == [[0, 1]])
        #expect(try Self.overlaps([(["GET"], "/{x}/b/**", "a:b"), (["*"], "/a/**", "a:c")]) == [[0, 1]])
    }

    @Test func leavesOutHowListsAreMeantToBeWritten() throws {
        #expect(try Self.overlaps([(["GET"], "/a/b", "a:b"), (["GET"], "/a/{x}", "a:c")]) == [])
        #expect(try Self.overlaps([(["GET"], "/a", "a:b"), (["*"], "/a", "a:c")]) == [])
        #expect(try Self.overlaps([(["GET", "POST"], "/a/b", "a:b"), (["GET"], "/a/**", "a:c")]) == [])
        #expect(try Self.overlaps([(["GET"], "/{x}/b", "a:b"), (["POST"], "/a/{y}", "a:c")]) == [])
        #expect(try Self.overlaps([(["GET"], "/{x}/b", "a:b"), (["GET"], "/a/{y}", "a:b")]) == [])
        #expect(try Self.overlaps([(["GET"], "/a/**", "a:b"), (["GET"], "/a/b", "a:c")]) == [], "is unreachable")
        #expect(try Self.overlaps([(["GET"], "/a/b", "a:b"), (["GET"], "/a/b/c", "a:c")]) == [])
    }

    /// What the two comparisons of patterns say holds for every path that is tried.
    @Test func patternsAreComparedAsTheirPathsAre() throws {
        let random = SeededRandom(seed: 3)
        let words = ["a", "b", "{x}", "{y}", "**"]
        func pattern() -> RoutePattern? {
            // Only good patterns are wanted.
            try? RoutePattern("/" + (0..<random.below(4)).map { _ in words[random.below(5)] }.joined(separator: "/"))
        }
        let texts = ["a", "b", "c"]
        let paths = (0...3).flatMap { length in
            (0..<[1, 3, 9, 27][length]).map { number in
                (0..<length).map { texts[number / [1, 3, 9][$0] % 3] }
            }
        }
        var compared = 0
        for _ in 0..<2000 {
            guard let left = pattern(), let right = pattern() else { continue }
            let both = paths.contains { left.matches($0) && right.matches($0) }
            #expect(left.meets(right) == both && right.meets(left) == both, "\(left) \(right)")
            if left.covers(right) { #expect(paths.allSatisfy { !right.matches($0) || left.matches($0) }) }
            compared += 1
        }
        #expect(compared > 500)
    }

    /// Captures are what a naive reader finds at their places.
    @Test func capturesAgreeWithTheNaiveReader() throws {
        let random = SeededRandom(seed: 8)
        let words = ["a", "{id}", "{tenant}", "{project}", "{user}", "{type}", "{other}", "**"]
        var compared = 0
        for _ in 0..<1500 {
            let text = "/" + (0..<random.below(6)).map { _ in words[random.below(8)] }.joined(separator: "/")
            guard let pattern = try? RoutePattern(text) else { continue }  // Only good patterns are wanted.
            let table = try RouteTable(document: [
                ["methods": ["GET"], "path": .string(text), "permission": "a:b"]
            ])
            let count = pattern.segments.count + (pattern.coversBelow ? random.below(3) : 0)
            let segments = (0..<count).map { _ in ["a", "a", "é", "x-1", "long-segment-of-a-path"][random.below(5)] }
            let path = try ShippedPolicy.path("/" + segments.joined(separator: "/"))
            let match = table.match(method: "GET", path: path)
            #expect((match != nil) == pattern.matches(segments), "\(text) \(path.text)")
            guard let match else { continue }
            var expected = ResourceAttributes()
            for (segment, value) in zip(pattern.segments, segments) {
                switch segment {
                case .capture("id"): expected.id = value
                case .capture("tenant"): expected.tenant = value
                case .capture("project"): expected.project = value
                case .capture("user"): expected.owner = value
                case .capture("type"): expected.type = value
                default: break
                }
            }
            #expect(match.captures == expected, "\(text) \(path.text)")
            compared += 1
        }
        #expect(compared > 200)
    }
}
