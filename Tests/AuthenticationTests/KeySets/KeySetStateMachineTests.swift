// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct KeySetStateMachineTests {
    private let start = ManualClock().now()
    private let keys = Result { try TestKeys.set(TokenForge.jwk(TestKeys.p256, kid: "k1")) }

    private func at(_ seconds: Int64) -> Timestamp { start.adding(seconds: seconds) }

    @Test func fetchesAtOnceAndOnlyOnceAtATime() throws {
        var machine = KeySetStateMachine(settings: KeySetSettings(), now: start)
        #expect(machine.keys(now: start) == nil)
        #expect(machine.poll(now: start) == .fetch)
        #expect(machine.poll(now: at(100)) == .none)
        #expect(machine.missesKey(now: at(100)) == (.mayAppear, .none))
    }

    @Test(arguments: [(0.0, Int64(216)), (0.5, 240), (1.0, 264)])
    func refreshesAroundFourFifthsOfItsLife(_ jitter: Double, _ seconds: Int64) throws {
        var machine = KeySetStateMachine(settings: KeySetSettings(), now: start)
        _ = machine.poll(now: start)
        let action = machine.fetchSucceeded(try keys.get(), cacheControl: nil, jitter: jitter, now: start)
        #expect(action == .wait(until: at(seconds)))
        #expect(machine.poll(now: at(seconds - 1)) == .wait(until: at(seconds)))
        #expect(machine.poll(now: at(seconds)) == .fetch)
    }

    @Test func retriesWithDoublingPauses() throws {
        var machine = KeySetStateMachine(settings: KeySetSettings(), now: start)
        var now = start
        for pause in [1, 2, 4, 8, 16, 30, 30, 30] as [Int64] {
            #expect(machine.poll(now: now) == .fetch)
            #expect(machine.fetchFailed(now: now) == .wait(until: now.adding(seconds: pause)))
            now = now.adding(seconds: pause)
        }
        #expect(machine.failures == 8)
        _ = machine.poll(now: now)
        _ = machine.fetchSucceeded(try keys.get(), cacheControl: nil, jitter: 0.5, now: now)
        #expect(machine.failures == 0)
    }

    @Test func usesAnOldSetUntilItIsTooOld() throws {
        var machine = KeySetStateMachine(settings: KeySetSettings(), now: start)
        _ = machine.poll(now: start)
        _ = machine.fetchSucceeded(try keys.get(), cacheControl: "max-age=60", jitter: 0.5, now: start)
        _ = machine.poll(now: at(50))
        _ = machine.fetchFailed(now: at(50))
        #expect(machine.keys(now: at(60 + 3600 - 1)) != nil)
        #expect(machine.keys(now: at(60 + 3600)) == nil)
    }

    @Test func refetchesForAnUnknownKeyAtMostEveryThirtySeconds() throws {
        var machine = KeySetStateMachine(settings: KeySetSettings(), now: start)
        _ = machine.poll(now: start)
        _ = machine.fetchSucceeded(try keys.get(), cacheControl: nil, jitter: 0.5, now: start)
        #expect(machine.missesKey(now: at(29)) == (.unknown, .none))
        #expect(machine.missesKey(now: at(30)) == (.mayAppear, .fetch))
        #expect(machine.missesKey(now: at(31)) == (.mayAppear, .none))
        #expect(machine.poll(now: at(31)) == .none)
        _ = machine.fetchFailed(now: at(32))
        #expect(machine.missesKey(now: at(32)) == (.mayAppear, .none))
        #expect(machine.keys(now: at(32)) != nil)
    }
}
