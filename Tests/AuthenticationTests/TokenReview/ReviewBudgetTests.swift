// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authentication

@Suite struct ReviewBudgetTests {
    private func taken(_ budget: inout ReviewBudget, _ wanted: Int, at now: Duration) -> Int {
        (0..<wanted).count(where: { _ in budget.take(now: now) })
    }

    @Test func thirtyAtOnceAndTwentyASecond() {
        var budget = ReviewBudget(now: .seconds(5))
        #expect(taken(&budget, 100, at: .seconds(5)) == 30)
        #expect(taken(&budget, 100, at: .milliseconds(5049)) == 0)
        #expect(taken(&budget, 100, at: .milliseconds(5050)) == 1)
        #expect(taken(&budget, 100, at: .milliseconds(6050)) == 20)
        #expect(taken(&budget, 100, at: .seconds(1_000_000)) == 30)
        #expect(taken(&budget, 100, at: .seconds(2)) == 0)
        #expect(taken(&budget, 100, at: .seconds(Int64.max / 2_000_000)) == 30)
    }

    /// In any order of instants: never more than 30 and 20 for each second that has passed.
    @Test func neverMoreThanTheRate() {
        let random = SeededRandom(seed: 9)
        for _ in 0..<FuzzCases.count(200) {
            var budget = ReviewBudget(now: .zero)
            var (now, total) = (Duration.zero, 0)
            for _ in 0..<100 {
                now += .microseconds(random.below(200_001))
                total += taken(&budget, random.below(11), at: now)
                #expect(Int64(total) <= 30 + now.wholeMicroseconds * 20 / 1_000_000)
            }
        }
    }
}
