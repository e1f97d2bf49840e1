// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Reconcilers
internal import Testing

@Suite struct ConditionsTests {
    private let first = Timestamp(seconds: 1_772_366_400)

    @Test func timesMoveOnlyWhenTheStateFlips() {
        var conditions = Conditions()
        conditions.set("Ready", .true, "InForce")
        let before = conditions.json(generation: 1, previous: nil, now: first)
        conditions.set("Ready", .true, "InForce", "with other words")
        let same = conditions.json(generation: 2, previous: before, now: first.adding(seconds: 60))
        #expect(same.arrayValue?.first?["lastTransitionTime"] == "2026-03-01T12:00:00Z")
        #expect(same.arrayValue?.first?["observedGeneration"] == 2)
        conditions.set("Ready", .false, "Invalid")
        let flipped = conditions.json(generation: 2, previous: same, now: first.adding(seconds: 90))
        #expect(flipped.arrayValue?.first?["lastTransitionTime"] == "2026-03-01T12:01:30Z")
    }

    @Test func longMessagesAreCut() {
        var conditions = Conditions()
        conditions.set("Invalid", .true, "InvalidSpec", String(repeating: "é", count: 5000))
        #expect((conditions["Invalid"]?.message.utf8.count ?? 0) <= 1024)
    }
}
