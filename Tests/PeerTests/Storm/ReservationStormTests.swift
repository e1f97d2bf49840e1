// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// A thousand callers at once reserve from an account that has enough for a hundred of them: exactly a hundred get it, over real HTTP, of the
/// real server, every time.
///
/// Each round takes an account of its own. In `make test` there are a few rounds, in `make soak` a hundred.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct ReservationStormTests {
    private static let rounds = min(100, FuzzCases.count(3))
    private static let callers = 1000
    private static let places = 100

    @Test func noneTooManyInAFile() async throws {
        let daemon = try TollgateDaemon(
            manifests: ProxyContract.manifests,
            settings: ["TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0"])
        try await daemon.running { _ in try await Self.storm([daemon]) }
    }

    /// Two servers over one database, each asked by half of the callers.
    @Test func noneTooManyInADatabase() async throws {
        let database = try await DatabaseSupport.migrated()
        let daemons = try ["one", "two"].map { name in
            try TollgateDaemon(
                manifests: ProxyContract.manifests,
                settings: [
                    "TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
                    "TOLLGATE_DATABASE_URL": database.url, "TOLLGATE_WRITER": name,
                    // All wait for one account: on a busy machine that may take a while.
                    "TOLLGATE_DATABASE_WAIT_TIMEOUT": "60s", "TOLLGATE_DATABASE_STATEMENT_TIMEOUT": "60s",
                ])
        }
        try await daemons[0].running { _ in
            try await daemons[1].running { _ in try await Self.storm(daemons) }
        }
    }

    private static func storm(_ daemons: [TollgateDaemon]) async throws {
        let random = SeededRandom(seed: 29)
        for round in 1...rounds {
            let account = "storm-\(round)"
            // The fallback plan gives 100 credits, and this comes on top: a few micro-credits less than one place more are left.
            let bought = Int64(random.below(50) + 1) * 1_000_000 + Int64(random.below(100))
            let given = try await daemons[0].call(
                "POST", "/v1/billing/grants",
                body: [
                    "account": .string(account), "key": "storm", "micro_credits": .int(bought), "reason": "test",
                ])
            #expect(given.status == 201, "\(given.text)")
            let size = (100_000_000 + bought) / Int64(places)
            let answers = try await reserve(size, of: account, at: daemons)
            let wanted = ["201 ": places, "402 billing.insufficient_credits": callers - places]
            #expect(answers == wanted, "round \(round)")
            for daemon in daemons { try await checkHeld(size * Int64(places), of: account, at: daemon) }
        }
    }

    /// All of them at once.
    ///
    /// - Returns: how many were answered with which status and code.
    private static func reserve(
        _ microCredits: Int64, of account: String, at daemons: [TollgateDaemon]
    ) async throws -> [String: Int] {
        try await withThrowingTaskGroup(of: String.self) { group in
            for caller in 0..<callers {
                let daemon = daemons[caller % daemons.count]
                group.addTask {
                    let answer = try await daemon.call(
                        "POST", "/v1/billing/reservations",
                        body: [
                            "account": .string(account), "key": .string("call-\(caller)"), "ttl": "1h",
                            "micro_credits": .int(microCredits),
                        ])
                    return "\(answer.status) \(try answer.json()["code"]?.stringValue ?? "")"
                }
            }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    private static func checkHeld(_ held: Int64, of account: String, at daemon: TollgateDaemon) async throws {
        let credits = try await daemon.call("GET", "/v1/billing/credits?account=\(account)").json()
        #expect(credits["held_micro_credits"] == .int(held), "\(credits)")
        #expect(credits["debt_micro_credits"] == 0)
        let left = try #require(credits["spendable_micro_credits"]?.intValue)
        #expect((0..<held / Int64(places)).contains(left), "\(left) micro-credits are left")
    }
}
