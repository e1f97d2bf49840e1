// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Foundation
internal import Persistence
internal import Synchronization
internal import TestSupport
internal import Testing

/// Kills one of two daemons, or PostgreSQL below them, in the middle of what they write, again and again: what was acknowledged is there
/// afterwards, and whatever else was written is whole.
///
/// `TOLLGATE_STORM_ROUNDS` says how often (3; `make soak` 50).
@Suite(.serialized, .timeLimit(.minutes(60)))
struct DatabaseStormTests {
    /// What was acknowledged.
    private struct Made: Sendable {
        /// The texts of tokens by identifier.
        var tokens: [String: String] = [:]
        /// Tokens whose revocation was asked for, be it acknowledged or not.
        var doomed: Set<String> = []
        var revoked: Set<String> = []
        /// The successor of a token that was rotated.
        var rotated: [String: String] = [:]
        var keys: Set<String> = []
        var count = 0
    }

    private final class Ledger: Sendable {
        private let made = Mutex(Made())

        var all: Made { made.withLock(\.self) }

        func note(_ note: (inout Made) -> Void) {
            made.withLock { made in
                note(&made)
                made.count += 1
            }
        }
    }

    private static let rounds = ProcessInfo.processInfo.environment["TOLLGATE_STORM_ROUNDS"].flatMap(Int.init) ?? 3
    private static let writers = 3
    /// How many active keys an account of the smallest plan may have.
    private static let keysOfAnAccount: Int64 = 2

    @Test func losesNothingThatWasAcknowledged() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await DatabaseSupport.migrate(database)
            let daemons = try ["one", "two"].map { name in
                try TollgateDaemon(
                    manifests: ProxyContract.manifests,
                    settings: [
                        "TOLLGATE_DATABASE_URL": database.url, "TOLLGATE_WRITER": name,
                        "TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
                    ])
            }
            var all = Made()
            for round in 1...max(1, Self.rounds) {
                let ledger = Ledger()
                try await Self.running(daemons) { processes in
                    try await storm(round, daemons, processes, server: server, ledger: ledger)
                }
                let made = ledger.all
                all.tokens.merge(made.tokens) { $1 }
                all.revoked.formUnion(made.revoked)
                all.rotated.merge(made.rotated) { $1 }
                all.keys.formUnion(made.keys)
                try await checkRecords(all, database, round: round)
                try await Self.running(daemons) { _ in
                    for daemon in daemons { try await checkDecisions(made, daemon, round: round) }
                }
            }
            print(
                "storm of \(Self.rounds) rounds: \(all.tokens.count) tokens, \(all.rotated.count) rotations, \(all.revoked.count) revocations, \(all.keys.count) keys acknowledged"
            )
            #expect(all.tokens.count >= Self.rounds && !all.keys.isEmpty)
        }
    }

    private static func running(
        _ daemons: [TollgateDaemon], _ body: (_ processes: [PeerProcess]) async throws -> Void
    ) async throws {
        try await daemons[0].running { first in
            try await daemons[1].running { second in try await body([first, second]) }
        }
    }

    // MARK: - Storm

    private func storm(
        _ round: Int, _ daemons: [TollgateDaemon], _ processes: [PeerProcess], server: PostgreSQLServer, ledger: Ledger
    ) async throws {
        let enough = Int.random(in: 5...60)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (name, daemon) in zip(["one", "two"], daemons) {
                for writer in 1...Self.writers {
                    group.addTask { await write("storm-\(round)-\(name)-\(writer)", at: daemon, ledger) }
                }
                group.addTask { await makeKeys(round, at: daemon, ledger) }
            }
            try await Eventually.holds("\(enough) acknowledgements") { ledger.all.count >= enough }
            let victim = Int.random(in: 0...2)
            if victim < 2 { try await processes[victim].killNow() } else { try await server.kill() }
            group.cancelAll()
            try await group.waitForAll()
            if victim == 2 { try await server.start() }
        }
    }

    /// Makes tokens; rotates some and revokes some. What is not acknowledged may or may not have happened.
    private func write(_ name: String, at daemon: TollgateDaemon, _ ledger: Ledger) async {
        for number in 1...100_000 where !Task.isCancelled {
            let identifier = "\(name)-\(number)"
            guard
                let made = await ask(
                    "POST", "/v1/service-tokens", ["identifier": .string(identifier), "scopes": ["tasks:read"]], daemon),
                made.status == 201, let text = (try? made.json())?["secret"]?.stringValue
            else { continue }
            ledger.note { $0.tokens[identifier] = text }
            switch number % 4 {
            case 1:
                let path = "/v1/service-tokens/\(identifier)/rotate"
                guard let rotated = await ask("POST", path, ["overlap_seconds": 3600], daemon),
                    rotated.status == 200 || rotated.status == 201, let answer = try? rotated.json(),
                    let next = answer["identifier"]?.stringValue, let text = answer["secret"]?.stringValue
                else { continue }
                ledger.note {
                    $0.rotated[identifier] = next
                    $0.tokens[next] = text
                }
            case 2:
                let path = "/v1/service-tokens/\(identifier)/revoke"
                ledger.note { $0.doomed.insert(identifier) }
                guard await ask("POST", path, ["reason": "the storm"], daemon)?.status == 204 else { continue }
                ledger.note { $0.revoked.insert(identifier) }
            default: break
            }
        }
    }

    /// Makes keys of a few accounts, more than each may have, at both daemons.
    private func makeKeys(_ round: Int, at daemon: TollgateDaemon, _ ledger: Ledger) async {
        for number in 0..<100_000 where !Task.isCancelled {
            let account = "storm-\(round)-\(number / 4)"
            let wish: JSONObject = [
                "name": "key", "account_id": .string(account), "scopes": ["tasks:read"],
            ]
            guard let made = await ask("POST", "/v1/api-keys", wish, daemon), made.status == 201,
                let id = (try? made.json())?["id"]?.stringValue
            else { continue }
            ledger.note { $0.keys.insert(id) }
        }
    }

    private func ask(
        _ method: String, _ path: String, _ body: JSONObject, _ daemon: TollgateDaemon
    ) async -> PlainHTTP.Answer? {
        // Whoever was killed does not answer.
        try? await daemon.call(method, path, body: .object(body))
    }

    // MARK: - Afterwards

    private func checkRecords(_ made: Made, _ database: TestDatabase, round: Int) async throws {
        try await DatabaseSupport.withPool(database.url) { pool in
            let stores = PostgreSQLStores(pool, random: SystemRandomSource())
            let set = StoreSet(tokens: stores.serviceTokens, keys: stores.apiKeys, projects: stores.projects)
            let keys = try await set.keys.load().records
            let limits = Dictionary(keys.map { ($0.accountID, Self.keysOfAnAccount) }) { first, _ in first }
            try await StoreInvariants(clock: SystemWallClock(), keyLimits: limits).check(
                set, tokens: Set(made.tokens.keys), keys: made.keys)
            let records = Dictionary(
                try await set.tokens.loadServiceTokens().map { ($0.identifier, $0) }
            ) { first, _ in first }
            for identifier in made.revoked {
                #expect(records[identifier]?.revokedAt != nil, "round \(round): \(identifier) is not revoked")
            }
            for (identifier, next) in made.rotated {
                #expect(records[identifier]?.rotatedTo == next, "round \(round): \(identifier) is not rotated")
            }
        }
    }

    private func checkDecisions(_ made: Made, _ daemon: TollgateDaemon, round: Int) async throws {
        for (identifier, text) in made.tokens {
            let decision = try await daemon.decide(host: ProxyContract.host, path: "/reports/1", token: text)
            let isRefused = decision["code"]?.stringValue == "auth.token_revoked"
            let isDoubtful = made.doomed.contains(identifier) && !made.revoked.contains(identifier)
            let isRight = isDoubtful || isRefused == made.revoked.contains(identifier)
            #expect(isRight, "round \(round): \(identifier): \(decision["code"] ?? .null)")
        }
    }
}
