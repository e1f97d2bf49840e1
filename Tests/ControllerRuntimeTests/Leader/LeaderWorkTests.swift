// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct LeaderWorkTests {
    private final class Fence: LeadershipFence {
        private let leads: Mutex<Bool>
        init(_ leads: Bool) { self.leads = Mutex(leads) }
        var isLeading: Bool { leads.withLock { $0 } }
        func lose() { leads.withLock { $0 = false } }
    }

    private let time = ManualMonotonicClock()

    private func work(_ fence: Fence, _ overruns: Counter) -> LeaderWork {
        LeaderWork(fence: fence, time: time) { overruns.count() }
    }

    private final class Counter: Sendable {
        private let number = Mutex(0)
        var value: Int { number.withLock { $0 } }
        func count() { number.withLock { $0 += 1 } }
    }

    @Test func theLeaderWorks() async {
        let overruns = Counter()
        let result = await work(Fence(true), overruns).run { .requeue(after: .seconds(7)) }
        #expect(result == .requeue(after: .seconds(7)))
        #expect(overruns.value == 0)
    }

    @Test func aFollowerDoesNotBegin() async {
        let began = Counter()
        let result = await work(Fence(false), Counter()).run {
            began.count()
            return .failed("not to be done here")
        }
        #expect(result == .done)
        #expect(began.value == 0)
    }

    @Test func whatIsInWorkAtTheLossIsCancelled() async throws {
        let (fence, overruns, began) = (Fence(true), Counter(), Counter())
        let (time, work) = (time, work(fence, overruns))
        async let result = work.run {
            began.count()
            while !Task.isCancelled { await Task.yield() }
            return .failed("cancelled")
        }
        try await Eventually.holds("the work to begin") { began.value == 1 }
        fence.lose()
        try await Eventually.holds("the loss to be noticed") {
            time.advance(by: .milliseconds(100))
            return time.now() >= .seconds(1) && time.sleepers <= 1
        }
        #expect(await result == .done)
        #expect(overruns.value == 0)
    }

    @Test func whatDoesNotEndIsReported() async throws {
        let (fence, overruns, began, ends) = (Fence(true), Counter(), Counter(), Counter())
        let (time, work) = (time, work(fence, overruns))
        async let result = work.run {
            began.count()
            // Deaf to the cancellation.
            while ends.value == 0 { await Task.yield() }
            return .done
        }
        try await Eventually.holds("the work to begin") { began.value == 1 }
        fence.lose()
        try await Eventually.holds("the overrun") {
            time.advance(by: .milliseconds(100))
            return overruns.value == 1
        }
        #expect(time.now() >= .seconds(5))
        ends.count()
        #expect(await result == .done)
    }
}
