// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct UpstreamPollStateMachineTests {
    private typealias Machine = UpstreamPollStateMachine

    @Test func waitsLongerWithEveryFailureAndForgetsThemWithAnAnswer() {
        var machine = Machine()
        let pauses = (0..<9).map { _ in machine.next(after: .failed, jitter: 1) }
        #expect(
            pauses.map(\.wholeMicroseconds)
                == [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000].map { $0 * 1000 })
        #expect(machine.next(after: .document, jitter: 0.5) == Machine.spacing)
        #expect(machine.next(after: .failed, jitter: 1) == Machine.firstBackoff)
    }

    @Test func asksLaterAfterARefusal() {
        var machine = Machine()
        #expect(machine.next(after: .refused, jitter: 1) == .seconds(2))
        #expect(machine.next(after: .refused, jitter: 1) == .seconds(4))
    }

    @Test(arguments: [(0, 500), (999, 500), (1000, 0), (30_000, 0)])
    func asksAtOnceOnlyWhereTheOperatorWaited(waitedMilliseconds: Int, pauseMilliseconds: Int) {
        var machine = Machine()
        #expect(
            machine.next(after: .unchanged(after: .milliseconds(waitedMilliseconds)), jitter: 0)
                == .milliseconds(pauseMilliseconds))
    }

    @Test func neverAsksAtOnceNorLaterThanItsBound() {
        let random = SeededRandom(seed: 3)
        var machine = Machine()
        for _ in 0..<1000 {
            let event: Machine.Event = [.document, .failed, .refused][random.below(3)]
            let pause = machine.next(after: event, jitter: Double(random.below(1000)) / 1000)
            #expect(pause >= Machine.spacing && pause <= Machine.lastBackoff)
        }
    }
}
