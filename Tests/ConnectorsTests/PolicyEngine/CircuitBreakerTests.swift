// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// Five failures in a row open it for ten seconds, then one call tries.
@Suite struct CircuitBreakerTests {
    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_000_000 + seconds) }

    /// Lets calls fail, at one instant.
    private static func fail(_ breaker: SharedBreaker, times: Int, at now: Timestamp) {
        for _ in 0..<times {
            if let permit = breaker.permit(at: now) { _ = breaker.ended(permit, .failed, at: now) }
        }
    }

    @Test func opensAtTheFifthFailureInARow() {
        let breaker = SharedBreaker()
        Self.fail(breaker, times: 4, at: Self.at(0))
        #expect(breaker.state == .closed(failures: 4))
        Self.fail(breaker, times: 1, at: Self.at(0))
        #expect(breaker.state == .open(since: Self.at(0), until: Self.at(10)))
        #expect(breaker.permit(at: Self.at(9)) == nil)
    }

    @Test func anAnswerBreaksTheRow() throws {
        let breaker = SharedBreaker()
        Self.fail(breaker, times: 4, at: Self.at(0))
        let permit = try #require(breaker.permit(at: Self.at(1)))
        #expect(breaker.ended(permit, .answered, at: Self.at(1)) == false)
        Self.fail(breaker, times: 4, at: Self.at(1))
        #expect(breaker.state == .closed(failures: 4))
    }

    @Test func oneCallTriesAfterThePause() throws {
        let breaker = SharedBreaker()
        Self.fail(breaker, times: 5, at: Self.at(0))
        let probe = try #require(breaker.permit(at: Self.at(10)))
        #expect(breaker.state == .probing)
        #expect(breaker.permit(at: Self.at(10)) == nil, "one probe at a time")
        #expect(breaker.ended(probe, .answered, at: Self.at(11)))
        #expect(breaker.state == .closed(failures: 0))
        #expect(breaker.permit(at: Self.at(11)) != nil)
    }

    @Test func aProbeThatFailsOpensItAgain() throws {
        let breaker = SharedBreaker()
        Self.fail(breaker, times: 5, at: Self.at(0))
        let probe = try #require(breaker.permit(at: Self.at(10)))
        #expect(breaker.ended(probe, .failed, at: Self.at(12)))
        #expect(breaker.state == .open(since: Self.at(12), until: Self.at(22)))
        #expect(breaker.permit(at: Self.at(21)) == nil)
        #expect(breaker.permit(at: Self.at(22)) != nil)
    }

    @Test func aProbeThatWasGivenUpLetsTheNextOneTry() throws {
        let breaker = SharedBreaker()
        Self.fail(breaker, times: 5, at: Self.at(0))
        let probe = try #require(breaker.permit(at: Self.at(10)))
        _ = breaker.ended(probe, .abandoned, at: Self.at(11))
        #expect(breaker.permit(at: Self.at(11)) != nil)
    }

    @Test func resultsOfAnEarlierStateAreIgnored() throws {
        let breaker = SharedBreaker()
        let slow = try #require(breaker.permit(at: Self.at(0)))
        let slower = try #require(breaker.permit(at: Self.at(0)))
        Self.fail(breaker, times: 5, at: Self.at(1))
        #expect(breaker.ended(slow, .answered, at: Self.at(2)) == false)
        #expect(breaker.state.name == "open", "a call from before cannot close it")
        let probe = try #require(breaker.permit(at: Self.at(12)))
        #expect(breaker.ended(slower, .failed, at: Self.at(12)) == false)
        #expect(breaker.state == .probing)
        #expect(breaker.ended(probe, .answered, at: Self.at(12)))
    }

    @Test func aClockThatWasSetBackDoesNotKeepItOpen() {
        let breaker = SharedBreaker()
        Self.fail(breaker, times: 5, at: Self.at(1000))
        #expect(breaker.permit(at: Self.at(0)) != nil)
    }

    /// Whatever happens, it never lets a second probe through and always comes back.
    @Test(arguments: 0..<20) func holdsItsRulesInAnyOrder(seed: UInt64) {
        let random = SeededRandom(seed: seed)
        let breaker = SharedBreaker(CircuitBreaker(threshold: 3, pause: .seconds(5)))
        var now: Int64 = 0
        var open: [CircuitBreaker.Permit] = []
        for _ in 0..<500 {
            now += Int64(random.below(3))
            let wasProbing = breaker.state == .probing
            if random.below(2) == 0 {
                let permit = breaker.permit(at: Self.at(now))
                #expect(!(wasProbing && permit != nil))
                if let permit { open.append(permit) }
            } else if !open.isEmpty {
                let outcome: CircuitBreaker.Outcome = [.answered, .failed, .abandoned][random.below(3)]
                _ = breaker.ended(open.remove(at: random.below(open.count)), outcome, at: Self.at(now))
            }
        }
        for permit in open { _ = breaker.ended(permit, .abandoned, at: Self.at(now)) }
        #expect(breaker.permit(at: Self.at(now + 5)) != nil)
    }
}

/// A breaker that calls inside an expectation may change.
private final class SharedBreaker {
    private var breaker: CircuitBreaker

    init(_ breaker: CircuitBreaker = CircuitBreaker()) { self.breaker = breaker }

    var state: CircuitBreaker.State { breaker.state }

    func permit(at now: Timestamp) -> CircuitBreaker.Permit? { breaker.permit(at: now) }

    func ended(_ permit: CircuitBreaker.Permit, _ outcome: CircuitBreaker.Outcome, at now: Timestamp) -> Bool {
        breaker.ended(permit, outcome, at: now)
    }
}
