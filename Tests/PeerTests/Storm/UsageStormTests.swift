// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import Persistence
internal import TestSupport
internal import Testing

/// Kills the server at random points while usage is reported in batches and credits are reserved, by clients that repeat what was not answered:
/// every event counts exactly once, the ledger adds up, and what reservations held comes back.
///
/// `TOLLGATE_STORM_EVENTS` says how many events (3000; `make soak` 1,000,000), `TOLLGATE_STORM_ROUNDS` how often the server is killed (3; 50),
/// `TOLLGATE_STORM_SEED` makes the storm that of an earlier run.
@Suite(.serialized, .timeLimit(.minutes(240)))
struct UsageStormTests {
    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init)
    }

    private static let events = setting("TOLLGATE_STORM_EVENTS") ?? 3000
    private static let kills = setting("TOLLGATE_STORM_ROUNDS") ?? 3
    private static let seed = UInt64(setting("TOLLGATE_STORM_SEED") ?? 41)

    @Test func everyEventCountsOnce() async throws {
        let daemon = try TollgateDaemon(
            manifests: ProxyContract.manifests,
            settings: ["TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0"])
        let storm = UsageStorm(events: Self.events, seed: Self.seed, daemon: daemon)
        try await daemon.running { _ in try await storm.open() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await storm.run() }
            group.addTask { try await Self.killAgainAndAgain(daemon, storm) }
            try await group.waitForAll()
        }
        print(
            "storm of \(Self.kills) kills with seed \(Self.seed): \(storm.acknowledged) events acknowledged, \(storm.reservations.count) reservations"
        )
        #expect(storm.faults == [])
        #expect(storm.acknowledged == Self.events)
        let store = try SQLiteStore(path: daemon.folder.path("data/tollgate.sqlite"), clock: SystemWallClock())
        let ledger = SQLiteBillingLedger(store)
        try await Self.check(storm, in: ledger)
        for account in UsageStorm.accounts { try await Self.checkSums(of: account, in: ledger) }
        try store.close()
    }

    /// Kills the server after so many acknowledgements, a random number of them in every round; the last time it stays until all is said and no
    /// reservation is open any more.
    private static func killAgainAndAgain(_ daemon: TollgateDaemon, _ storm: UsageStorm) async throws {
        let random = SeededRandom(seed: seed &* 43)
        for round in 0..<kills {
            let enough = storm.events * round / kills + random.below(max(1, storm.events / kills))
            try await daemon.running { process in
                try await process.wait(for: "\(enough) acknowledgements", within: .seconds(3600)) {
                    storm.acknowledged >= enough || storm.isOver || !storm.faults.isEmpty
                }
                try await process.killNow()
            }
        }
        try await daemon.running { process in
            try await process.wait(for: "the end of the storm", within: .seconds(7200)) {
                storm.isOver || !storm.faults.isEmpty
            }
            try await checkReservations(of: storm, at: daemon, process)
        }
    }

    /// Each of them ends, at the latest at the time that it was made for, and nothing is held then.
    private static func checkReservations(
        of storm: UsageStorm, at daemon: TollgateDaemon, _ process: PeerProcess
    ) async throws {
        #expect(storm.reservations.count >= 40)
        // Whoever looks at an account is told that its reservations have ended; that they do without being looked at shows in the file alone.
        let store = try SQLiteStore(path: daemon.folder.path("data/tollgate.sqlite"), clock: SystemWallClock())
        let ledger = SQLiteBillingLedger(store)
        try await process.wait(for: "no reservation to be open", within: .seconds(60)) {
            for account in UsageStorm.accounts {
                guard let row = try await ledger.read(account, { try $0.account() }) else { return false }
                let book = try AccountBook(row)
                guard book.openReservations == 0, book.held == 0 else { return false }
            }
            return true
        }
        try store.close()
        for (account, id) in storm.reservations {
            let answer = try await daemon.call("GET", "/v1/billing/reservations/\(id)?account=\(account)")
            let json = try answer.json()
            #expect(answer.status == 200 && json["state"] != "open" && json["held_micro_credits"] == 0, "\(json)")
        }
    }

    /// Every event is there, once, in its own account and with its own counts.
    private static func check(_ storm: UsageStorm, in ledger: SQLiteBillingLedger) async throws {
        var seen = [Bool](repeating: false, count: storm.events)
        for account in UsageStorm.reporting {
            for row in try await rows(of: account, in: ledger) where row.source == UsageStorm.source {
                let number = try #require(Int(row.id))
                let tokens = UsageStorm.tokens(of: number)
                let isRight =
                    storm.account(of: number) == account && row.amounts.input == tokens.input
                    && row.amounts.output == tokens.output && !seen[number]
                if !isRight { Issue.record("event \(number) in \(account): \(row), there before: \(seen[number])") }
                seen[number] = true
            }
        }
        let missing = seen.indices.filter { !seen[$0] }
        #expect(missing.isEmpty, "\(missing.count) acknowledged events are lost, such as \(missing.prefix(5))")
    }

    /// The entries add up to the account, and what was used to what was paid; the windows count what the records say.
    private static func checkSums(of account: String, in ledger: SQLiteBillingLedger) async throws {
        let proof = try await LedgerProof.read(account, in: ledger)
        #expect(proof.faults == [], "\(account)")
        let book = try #require(proof.book)
        #expect(book.openReservations == 0 && book.held == 0)
        let used = try await rows(of: account, in: ledger)
        let charged = used.reduce(Int64(0)) { $0 + $1.amounts.chargeMicroCredits }
        #expect(book.totals.uncollected == 0)
        #expect(book.totals.consumed == charged, "\(account)")
        let days = try await ledger.read(account) { reader in
            try reader.windows(.month, from: Timestamp(seconds: 0), to: .latest, by: [])
        }
        #expect(days.reduce(0) { $0 + $1.amounts.requests } == Int64(used.reduce(0) { $0 + $1.amounts.requests }))
        #expect(days.reduce(0) { $0 + $1.amounts.chargeMicroCredits } == charged)
    }

    private static func rows(of account: String, in ledger: SQLiteBillingLedger) async throws -> [UsageRow] {
        var all: [UsageRow] = []
        while true {
            let before = all.last.map { UsageCursor(at: $0.at, source: $0.source, id: $0.id) }
            let page = try await ledger.read(account) { try $0.usage(UsageQuery(before: before, limit: 5000)) }
            all += page
            if page.count < 5000 { return all }
        }
    }
}
