// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct SlidingWindowTests {
    @Test func countsThePresentPartAndThe59BeforeIt() {
        var window = SlidingWindow()
        window.add(in: window.advance(to: 100))
        window.add(in: window.advance(to: 159))
        #expect(window.total == 2)
        #expect(window.oldest == 100)
        _ = window.advance(to: 160)
        #expect(window.total == 1)
        _ = window.advance(to: 219)
        #expect(window.isEmpty)
    }

    @Test func saysWhenItOpens() {
        var window = SlidingWindow()
        for part: Int64 in [10, 10, 12, 15] { window.add(in: window.advance(to: part)) }
        #expect(window.opens(limit: 5, at: 15) == nil)
        #expect(window.opens(limit: 4, at: 15) == 70)
        // Two have to leave when the limit was lowered below what is counted.
        #expect(window.opens(limit: 2, at: 15) == 72)
        #expect(window.opens(limit: 0, at: 15) == 75)
        #expect(SlidingWindow().opens(limit: 0, at: 15) == 75)
    }

    @Test func takesBackOnlyWhatIsStillCounted() {
        var window = SlidingWindow()
        window.add(in: window.advance(to: 5))
        window.add(in: window.advance(to: 6))
        window.remove(from: 7)
        #expect(window.total == 2)
        window.remove(from: 6)
        #expect(window.total == 1)
        window.remove(from: 6)
        #expect(window.total == 1)
        window.remove(from: 5)
        #expect(window.isEmpty)
    }

    @Test func timeThatRunsBackGoesOnInTheNewestPart() {
        var window = SlidingWindow()
        window.add(in: window.advance(to: 100))
        #expect(window.advance(to: 90) == 100)
        #expect(window.advance(to: 40) == 40, "a clock that was wrong by a window is not believed for ever")
        #expect(window.isEmpty)
    }

    @Test func instantsBeforeTheEpochHaveParts() {
        #expect(LimitWindow.minute.part(of: .init(seconds: -1)) == -1)
        #expect(LimitWindow.hour.part(of: .init(seconds: -60)) == -1)
        #expect(LimitWindow.hour.part(of: .init(seconds: -61)) == -2)
        #expect(LimitWindow.day.part(of: .init(seconds: 1440)) == 1)
        #expect(LimitWindow.allCases.map(\.partSeconds) == [1, 60, 1440])
    }

    /// Against a list of all instants, under a client that comes in bursts.
    @Test func agreesWithAListOfInstants() {
        let random = SeededRandom(seed: 1313)
        for _ in 0..<FuzzCases.count(200) {
            let limit = Int64(1 + random.below(20))
            var window = SlidingWindow()
            var counted: [Int64] = []
            var part: Int64 = 1_772_366_400
            for _ in 0..<300 {
                part += Int64([0, 0, 0, 1, 1, 2, 7, 30, 59, 60, 61][random.below(11)])
                let inWindow = counted.count { $0 > part - 60 }
                let mine = window.advance(to: part)
                #expect(window.total == Int64(inWindow))
                #expect((window.opens(limit: limit, at: mine) == nil) == (inWindow < limit))
                if inWindow < limit {
                    window.add(in: mine)
                    counted.append(part)
                } else if random.below(5) == 0, let last = counted.last {
                    window.remove(from: last)
                    counted.removeLast()
                }
            }
            for end in counted { #expect(counted.count { $0 <= end && $0 > end - 60 } <= limit) }
        }
    }

    @Test func aSteadyClientAtExactlyItsRateIsNeverRefused() {
        for limit: Int64 in [1, 2, 3, 7, 30, 59, 60, 61, 600] {
            var window = SlidingWindow()
            for request in 0..<(limit * 5) {
                let part = window.advance(to: request * 60 / limit)
                #expect(window.opens(limit: limit, at: part) == nil, "limit \(limit), request \(request)")
                window.add(in: part)
            }
        }
    }
}
