// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization
internal import TestSupport
internal import Testing

@testable import Authentication

/// Failures that replicas tell each other.
struct FailureSharingTests {
    private final class Recorder: FailureSharing {
        let events = Mutex<[FailureEvent]>([])

        func share(_ event: FailureEvent) { events.withLock { $0.append(event) } }
    }

    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_000_000 + seconds) }

    @Test func passesOnWhatHappensHereAndNothingElse() throws {
        let recorder = Recorder()
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 1, perIdentity: 1), sharing: recorder)
        let address = try #require(IPAddress("2001:db8::9"))
        _ = limiter.record(address: address, now: Self.at(0))
        _ = limiter.record(identity: "ci", now: Self.at(1))
        limiter.apply(.failed(.identity("other"), at: Self.at(1)), now: Self.at(1))
        #expect(limiter.clear("identity:ci", now: Self.at(2)))
        #expect(!limiter.clear("identity:none", now: Self.at(2)))
        let network = try #require(IPAddress("2001:db8::"))
        #expect(
            recorder.events.withLock { $0 } == [
                .failed(.address(network), at: Self.at(0)), .failed(.identity("ci"), at: Self.at(1)),
                .cleared("identity:ci"),
            ])
    }

    @Test func countsWhatHappenedElsewhere() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 3, perIdentity: 2))
        let address = try #require(IPAddress("192.0.2.1"))
        _ = limiter.record(address: address, now: Self.at(10))
        limiter.apply(.failed(.address(address), at: Self.at(5)), now: Self.at(11))
        #expect(limiter.check(address: address, now: Self.at(11)) == nil)
        limiter.apply(.failed(.address(address), at: Self.at(7)), now: Self.at(11))
        #expect(limiter.check(address: address, now: Self.at(11))?.retryAfterSeconds == 54)
        // What counts no more when it is heard of changes nothing; what comes from a clock that is ahead counts from now.
        limiter.apply(.failed(.identity("a"), at: Self.at(0)), now: Self.at(60))
        limiter.apply(.failed(.identity("a"), at: Self.at(500)), now: Self.at(60))
        limiter.apply(.failed(.identity("a"), at: Self.at(60)), now: Self.at(60))
        #expect(limiter.check(identity: "a", now: Self.at(60))?.retryAfterSeconds == 60)
        #expect(limiter.check(identity: "a", now: Self.at(120)) == nil)
    }

    @Test func aBlockThatWasLiftedElsewhereIsLiftedHere() throws {
        let limiter = FailureLimiter(FailureLimitSettings(perAddress: 1, perIdentity: 2))
        let address = try #require(IPAddress("192.0.2.1"))
        _ = limiter.record(address: address, now: Self.at(0))
        _ = limiter.record(identity: "a", now: Self.at(0))
        limiter.apply(.cleared("ip:192.0.2.1"), now: Self.at(0))
        limiter.apply(.cleared("identity:a"), now: Self.at(0))
        #expect(limiter.check(address: address, now: Self.at(0)) == nil)
        #expect(limiter.record(identity: "a", now: Self.at(0)) == nil)
    }

    /// In whatever order replicas hear of failures, each knows the same in the end.
    @Test func theOrderOfHearingDoesNotMatter() throws {
        let random = SeededRandom(seed: 11)
        for _ in 0..<FuzzCases.count(200) {
            let instants = (0..<12).map { _ in Self.at(Int64(random.below(50))) }
            let limits = FailureLimitSettings(perAddress: 5, perIdentity: 5)
            let waits = Set(
                (0..<3).map { _ -> Int64? in
                    let limiter = FailureLimiter(limits)
                    var rest = instants
                    while !rest.isEmpty {
                        limiter.apply(
                            .failed(.identity("x"), at: rest.remove(at: random.below(rest.count))), now: Self.at(50))
                    }
                    return limiter.check(identity: "x", now: Self.at(50))?.retryAfterSeconds
                })
            #expect(waits.count == 1)
        }
    }
}
