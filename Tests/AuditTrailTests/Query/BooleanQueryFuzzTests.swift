// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

/// Whatever stands in a query, it is read or refused, and what it means is what a plainer evaluator finds.
@Suite struct BooleanQueryFuzzTests {
    private static let pieces = [
        "(", ")", " ", "\t", "AND", "or", "Not", "=", "!=", "~", ">=", "<=", "<", "!", "\"", "\\", "a", "kind", ".",
        "-1", "9.5", "null", "true", "\u{0}", "\u{1F}", "é", "e\u{301}", "👩‍💻", "2026-02-10T08:00:00Z", "\"x y\"",
        "kind=ack", "\n", "\u{FEFF}", "\\\"",
    ]

    @Test func neverCrashesAndPointsIntoTheText() {
        let random = SeededRandom(seed: 0x51)
        var accepted = 0
        for _ in 0..<FuzzCases.count(20_000) {
            let text = (0..<random.below(14)).map { _ in Self.pieces[random.below(Self.pieces.count)] }.joined()
            let length = text.unicodeScalars.count
            do {
                let query = try BooleanQuery(parsing: text)
                accepted += 1
                _ = query.matches(["kind": "ack", "a": [1, nil, ["kind": .double(9.5)]]])
                expectSameAfterPrinting(query)
            } catch {
                let position = error.details?["position"]?.intValue ?? -1
                #expect(
                    error.code == .auditBadQuery && (0...Int64(length)).contains(position), "\(text.debugDescription)")
            }
        }
        #expect(accepted > 0)
    }

    private func expectSameAfterPrinting(_ query: BooleanQuery) {
        do {
            let again = try BooleanQuery(parsing: query.description)
            #expect(again.description == query.description, "\(query.text.debugDescription)")
        } catch {
            Issue.record("\(query.description.debugDescription) is refused: \(error)")
        }
    }

    @Test func agreesWithAPlainerEvaluator() throws {
        let random = SeededRandom(seed: 0x52)
        var matches = 0
        let count = FuzzCases.count(20_000)
        for _ in 0..<count {
            let tree = NaiveQuery.random(random, depth: 4)
            let event = NaiveQuery.randomEvent(random)
            let text = tree.text(random)
            let query = try BooleanQuery(parsing: text)
            let found = query.matches(event)
            if found { matches += 1 }
            #expect(found == tree.matches(event), "\(text) over \(JSONValue.object(event).jsonText)")
            let again = try BooleanQuery(parsing: query.description)
            #expect(again.description == query.description)
            #expect(again.matches(event) == found, "\(text) printed as \(query.description)")
        }
        #expect(matches > count / 10 && matches < count * 9 / 10)
    }
}
