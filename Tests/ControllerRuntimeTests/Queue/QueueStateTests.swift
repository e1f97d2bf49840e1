// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite struct QueueStateTests {
    private func drain(_ queue: inout QueueState<String>, at now: Duration) -> [String] {
        var keys: [String] = []
        while let next = queue.next(now: now) { keys.append(next.key) }
        return keys
    }

    @Test func aKeyWaitsOnceAndTheFirstGoesFirst() {
        var queue = QueueState<String>()
        for key in ["a", "b", "a", "c"] { queue.add(key, priority: .change, readyAt: .zero, now: .zero) }
        #expect(queue.depth == 3)
        #expect(drain(&queue, at: .zero) == ["a", "b", "c"])
        #expect(queue.depth == 0)
    }

    @Test func changesGoBeforeTheRegularLookAndMergingKeepsTheHigher() {
        var queue = QueueState<String>()
        for key in ["a", "b", "c"] { queue.add(key, priority: .resync, readyAt: .zero, now: .zero) }
        queue.add("d", priority: .change, readyAt: .zero, now: .zero)
        queue.add("b", priority: .change, readyAt: .zero, now: .zero)
        queue.add("d", priority: .resync, readyAt: .zero, now: .zero)
        #expect(queue.depths == [.change: 2, .resync: 2])
        #expect(drain(&queue, at: .zero) == ["d", "b", "a", "c"])
    }

    @Test func theEarlierTimeIsKept() {
        var queue = QueueState<String>()
        queue.add("a", priority: .change, readyAt: .seconds(10), now: .zero)
        queue.add("a", priority: .change, readyAt: .seconds(5), now: .zero)
        queue.add("a", priority: .change, readyAt: .seconds(20), now: .zero)
        #expect(queue.nextDue == .seconds(5))
        #expect(drain(&queue, at: .seconds(4)).isEmpty)
        #expect(drain(&queue, at: .seconds(5)) == ["a"])
    }

    @Test func aKeyInWorkIsNotHandedOutTwice() {
        var queue = QueueState<String>()
        queue.add("a", priority: .change, readyAt: .zero, now: .zero)
        #expect(queue.next(now: .zero)?.key == "a")
        queue.add("a", priority: .resync, readyAt: .zero, now: .zero)
        queue.add("a", priority: .change, readyAt: .zero, now: .zero)
        #expect(queue.next(now: .zero) == nil)
        queue.done("a", failed: false, now: .zero)
        #expect(drain(&queue, at: .zero) == ["a"])
    }

    @Test func failuresWaitLongerAndLongerUntilOneSucceeds() {
        var queue = QueueState<String>()
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<20 {
            queue.add("a", priority: .change, readyAt: now, now: now)
            _ = queue.next(now: now)
            queue.done("a", failed: true, now: now)
            let due = queue.nextDue ?? now
            pauses.append(due - now)
            now = due
            #expect(queue.next(now: now)?.key == "a")
            queue.done("a", failed: false, now: now)
            // Not forgotten by hand: the loop below sees the growth.
            break
        }
        #expect(pauses == [.milliseconds(5)])
        for expected in [5, 10, 20, 40, 80] {
            queue.add("b", priority: .change, readyAt: now, now: now)
            _ = queue.next(now: now)
            queue.done("b", failed: true, now: now)
            #expect(queue.nextDue == now + .milliseconds(expected))
            now += .milliseconds(expected)
            _ = queue.next(now: now)
            queue.done("b", failed: true, now: now)
            now = queue.nextDue ?? now
            _ = queue.next(now: now)
            queue.done("b", failed: false, now: now)
            if expected > 5 { continue }
            break
        }
        var longest = Duration.zero
        queue.add("c", priority: .change, readyAt: now, now: now)
        for _ in 0..<30 {
            _ = queue.next(now: now)
            queue.done("c", failed: true, now: now)
            longest = (queue.nextDue ?? now) - now
            now += longest
        }
        #expect(longest == .seconds(1000))
    }

    /// Against the plainest form: what is handed out is what waits, never twice, never before its time.
    @Test(arguments: 0..<20) func agreesWithAPlainModel(_ seed: UInt64) {
        let random = SeededRandom(seed: seed)
        var queue = QueueState<Int>()
        var waiting: [Int: Duration] = [:]
        var working: Set<Int> = []
        var again: [Int: Duration] = [:]
        var now = Duration.zero
        for _ in 0..<2000 {
            switch random.below(4) {
            case 0, 1:
                let key = random.below(12)
                let at = now + .milliseconds(random.below(3) * 10)
                queue.add(key, priority: random.below(2) == 0 ? .change : .resync, readyAt: at, now: now)
                if working.contains(key) {
                    again[key] = min(again[key] ?? at, at)
                } else {
                    waiting[key] = min(waiting[key] ?? at, at)
                }
            case 2:
                now += .milliseconds(random.below(15))
                if let next = queue.next(now: now) {
                    #expect(waiting[next.key].map { $0 <= now } == true)
                    waiting[next.key] = nil
                    #expect(working.insert(next.key).inserted)
                } else {
                    #expect(waiting.values.allSatisfy { $0 > now })
                }
            default:
                guard let key = working.min() else { continue }
                working.remove(key)
                queue.done(key, failed: false, now: now)
                if let at = again.removeValue(forKey: key) { waiting[key] = at }
            }
            #expect(queue.depth == waiting.count)
            #expect(queue.depths.values.reduce(0, +) == waiting.count)
        }
    }
}
