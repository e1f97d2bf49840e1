// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import Essentials

@Suite(.timeLimit(.minutes(10))) struct PauseKeeperTests {
    private static func instant(_ pause: Duration) -> ContinuousClock.Instant { ContinuousClock().now + pause }

    @Test func pausesEndInTheOrderOfTheirTimesAndNeverEarly() async throws {
        let keeper = PauseKeeper()
        let random = SeededRandom(seed: 11)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                let due = Self.instant(.milliseconds(random.below(200)))
                group.addTask {
                    try await keeper.pause(until: due)
                    #expect(ContinuousClock().now >= due)
                }
            }
            try await group.waitForAll()
        }
        #expect(keeper.count == 0)
    }

    @Test func whatIsOverEndsAtOnce() async throws {
        let keeper = PauseKeeper()
        try await keeper.pause(until: Self.instant(.seconds(-5)))
        #expect(keeper.count == 0)
    }

    @Test func aShorterPauseDoesNotWaitForALongerOne() async throws {
        let keeper = PauseKeeper()
        let long = Task { try await keeper.pause(until: Self.instant(.seconds(3600))) }
        try await Eventually.holds("the long pause") { keeper.count == 1 }
        try await keeper.pause(until: Self.instant(.milliseconds(5)))
        #expect(keeper.count == 1)
        long.cancel()
        await #expect(throws: CancellationError.self) { try await long.value }
        #expect(keeper.count == 0)
    }

    @Test func cancelledPausesLeaveNothingBehind() async throws {
        let keeper = PauseKeeper()
        let cancelled = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<2000 {
                let due = Self.instant(.seconds(3600 + index))
                group.addTask {
                    do {
                        try await keeper.pause(until: due)
                        return false
                    } catch { return true }
                }
            }
            group.cancelAll()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(cancelled == 2000)
        #expect(keeper.count == 0)
        #expect(keeper.places <= 256)
        try await keeper.pause(until: Self.instant(.milliseconds(1)))
    }

    @Test func aTaskThatIsCancelledAlreadyDoesNotWait() async {
        let keeper = PauseKeeper()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await keeper.pause(until: Self.instant(.seconds(3600)))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
