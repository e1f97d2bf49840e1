// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct DocumentCompactorTests {
    @Test func aDocumentStaysWhatItIs() throws {
        let compactor = DocumentCompactor()
        let random = SeededRandom(seed: 17)
        for _ in 0..<500 {
            let document = value(random, depth: 4)
            let compact = compactor.compact(document)
            #expect(compact == document)
            #expect(compact.encoded() == document.encoded())
        }
    }

    @Test func whatIsAlikeIsKnownOnceAndForgottenWhenThereIsTooMuch() {
        let compactor = DocumentCompactor()
        for _ in 0..<3 {
            _ = compactor.compact([["lastTransitionTime": "a message of some length", "short": "x"], "short"])
        }
        #expect(compactor.counts == (texts: 2, objects: 1))
        for number in 0..<10_000 {
            _ = compactor.compact(["number": .int(Int64(number)), "text": .string("a text like no other: \(number)")])
        }
        #expect(compactor.counts.texts <= 4096)
        #expect(compactor.counts.objects <= 4096)
    }

    @Test func theOrderOfMembersStays() {
        let compactor = DocumentCompactor()
        let first: JSONValue = ["a": 1, "b": 2]
        let second: JSONValue = ["b": 2, "a": 1]
        #expect(compactor.compact(first).encoded() == first.encoded())
        #expect(compactor.compact(second).encoded() == second.encoded())
    }

    /// Long texts are hardly alike.
    @Test func longTextsAreNotKept() {
        let compactor = DocumentCompactor()
        _ = compactor.compact(.string(String(repeating: "x", count: 129)))
        #expect(compactor.counts == (texts: 0, objects: 0))
    }

    private func value(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth > 0 ? 7 : 5) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2: return .int(Int64(random.below(1_000_000)) - 500_000)
        case 3: return .double(Double(random.below(1000)) + 0.5)
        case 4: return .string(String(repeating: "ä\u{0}", count: random.below(40)))
        case 5: return .array((0..<random.below(5)).map { _ in value(random, depth: depth - 1) })
        default:
            var object = JSONObject()
            for index in 0..<random.below(6) {
                object["a member with a long name \(index)"] = value(random, depth: depth - 1)
            }
            return .object(object)
        }
    }
}
