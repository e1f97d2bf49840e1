// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@Suite struct ChangeFollowerStateMachineTests {
    private static let here = ChangePosition("1")
    private static let there = ChangePosition("2")

    private static func following() -> ChangeFollowerStateMachine {
        var machine = ChangeFollowerStateMachine(rhythm: .init(poll: .seconds(2)))
        machine.reloaded(from: here, at: .zero)
        return machine
    }

    @Test func beginsByReadingEverything() {
        var machine = ChangeFollowerStateMachine()
        #expect(machine.next(at: .zero) == .reload(.start))
        #expect(!machine.hasStarted)
        machine.reloaded(from: Self.here, at: .zero)
        #expect(machine.hasStarted)
        #expect(machine.next(at: .zero) == .wait(until: .milliseconds(400)))
    }

    @Test func looksOftenWhileNothingSignals() {
        var machine = Self.following()
        #expect(machine.next(at: .milliseconds(399)) == .wait(until: .milliseconds(400)))
        #expect(machine.next(at: .milliseconds(400)) == .look(Self.here))
        machine.followed(to: Self.there, at: .milliseconds(400))
        #expect(machine.next(at: .milliseconds(400)) == .wait(until: .milliseconds(800)))
    }

    /// A notice can be lost on a connection that is there: a change is in force within a second all the same.
    @Test func looksWithinASecondWhateverIsSignalled() {
        var machine = ChangeFollowerStateMachine()
        machine.reloaded(from: Self.here, at: .zero)
        machine.heard(.up, from: "listen", at: .zero)
        _ = machine.next(at: .zero)
        machine.followed(to: Self.there, at: .zero)
        #expect(machine.next(at: .zero) == .wait(until: .milliseconds(800)))
    }

    @Test func looksAtOnceWhenToldTo() {
        var machine = Self.following()
        machine.heard(.up, from: "listen", at: .zero)
        #expect(machine.next(at: .zero) == .look(Self.here))
        machine.followed(to: Self.there, at: .zero)
        #expect(machine.next(at: .seconds(1)) == .wait(until: .seconds(2)))
        machine.heard(.notice, from: "listen", at: .seconds(1))
        #expect(machine.next(at: .seconds(1)) == .look(Self.there))
        machine.followed(to: Self.here, at: .seconds(1))
        #expect(machine.next(at: .seconds(1)) == .wait(until: .seconds(3)))
        #expect(machine.next(at: .seconds(3)) == .look(Self.here))
    }

    @Test func aNoticeDuringALookIsNotLost() {
        var machine = Self.following()
        machine.heard(.notice, from: "listen", at: .zero)
        #expect(machine.next(at: .zero) == .look(Self.here))
        machine.heard(.notice, from: "listen", at: .zero)
        machine.followed(to: Self.there, at: .zero)
        #expect(machine.next(at: .zero) == .look(Self.there))
    }

    @Test func aSignalThatGoesAwayBringsTheNextLookForward() {
        var machine = Self.following()
        for name in ["listen", "redis"] { machine.heard(.up, from: name, at: .zero) }
        _ = machine.next(at: .zero)
        machine.followed(to: Self.there, at: .zero)
        machine.heard(.down, from: "redis", at: .milliseconds(100))
        #expect(machine.next(at: .milliseconds(100)) == .wait(until: .seconds(2)))
        machine.heard(.down, from: "listen", at: .milliseconds(200))
        #expect(machine.next(at: .milliseconds(200)) == .wait(until: .milliseconds(600)))
        #expect(machine.connectedSignals.isEmpty)
    }

    @Test func triesTheSameAgainWithPauses() {
        var machine = Self.following()
        machine.heard(.notice, from: "listen", at: .zero)
        var now = Duration.zero
        for pause in [100, 200, 400, 800, 1000, 1000] {
            #expect(machine.next(at: now) == .look(Self.here))
            machine.failed(at: now)
            // A notice does not make a store answer that is away.
            machine.heard(.notice, from: "listen", at: now)
            #expect(machine.next(at: now) == .wait(until: now + .milliseconds(pause)))
            now += .milliseconds(pause)
        }
        machine.followed(to: Self.there, at: now)
        machine.failed(at: now)
        #expect(machine.next(at: now) == .wait(until: now + .milliseconds(100)))
    }

    @Test func readsEverythingAgainWhenTheFeedLostIt() {
        for loss in ChangeLoss.allCases {
            var machine = Self.following()
            machine.lost(loss)
            #expect(machine.next(at: .zero) == .reload(loss))
            machine.failed(at: .zero)
            #expect(machine.next(at: .milliseconds(100)) == .reload(loss))
            machine.reloaded(from: Self.there, at: .milliseconds(100))
            #expect(machine.next(at: .seconds(1)) == .look(Self.there))
        }
    }
}
