// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// What the stores in PostgreSQL do beyond the contract of all stores: one transaction for many writes, what they announce, and time.
    @Suite struct TransactionTests {
        private static func withStores(
            clock: ManualClock? = ManualClock(), _ body: (PostgreSQLStores, TestDatabase) async throws -> Void
        ) async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                try await body(PostgreSQLStores(pool, clock: clock, random: SeededRandom(seed: 1)), database)
            }
        }

        @Test func commitsManyWritesTogether() async throws {
            try await Self.withStores { stores, database in
                let count = 500
                let watch = Stopwatch()
                let failed = await withTaskGroup(of: Int?.self) { group in
                    for index in 0..<count {
                        group.addTask {
                            // Every tenth has the identifier of the one before it.
                            let record = StoreRecords.token("t\(index % 10 == 9 ? index - 1 : index)")
                            do throws(ServiceTokenStoreError) {
                                try await stores.serviceTokens.write([.insert(record)])
                                return nil
                            } catch {
                                return error.code == .identifierInUse ? index : -1
                            }
                        }
                    }
                    return await group.reduce(into: [Int]()) { if let index = $1 { $0.append(index) } }
                }
                print("postgresql: \(count) durable writes in \(watch.nanoseconds / 1000) us")
                #expect(failed.count == count / 10 && !failed.contains(-1))
                #expect(try await stores.serviceTokens.loadServiceTokens().count == count * 9 / 10)
                let transactions = try await database.run(
                    "SELECT count(DISTINCT xmin::text) FROM tollgate.service_tokens")
                #expect((Int(transactions) ?? .max) <= count * 9 / 10, "\(transactions) transactions")
                #expect(try await database.run("SELECT count(*) FROM tollgate.changes") == "\(count * 9 / 10)")
            }
        }

        @Test func announcesWhatChangedAndNothingElse() async throws {
            try await Self.withStores { stores, database in
                let owner = APIKeyOwner.Identity(issuer: "i", subject: "s", tenantID: nil)
                try await stores.serviceTokens.write([.insert(StoreRecords.token("t"))])
                try await stores.apiKeys.write(
                    [.owner(APIKeyOwner(identity: owner, roles: [])), .insert(StoreRecords.key("k"))], limit: nil)
                try await stores.projects.write([
                    .insertProject(StoreRecords.project("zeus")), .insertProject(StoreRecords.project("apollo")),
                    .insertShare(StoreRecords.share("s")), .updateShare(StoreRecords.share("s", revision: 2)),
                ])
                await #expect(throws: ServiceTokenStoreError.self) {
                    try await stores.serviceTokens.write([
                        .insert(StoreRecords.token("new")), .insert(StoreRecords.token("t")),
                    ])
                }
                try await stores.serviceTokens.addUses([
                    CredentialUse(identifier: "t", count: 1, lastUsedAt: StoreRecords.start)
                ])
                _ = try await stores.idempotency.begin(
                    key: "k", caller: IdempotencyCaller(tenantID: nil, name: "c"), digest: "d")
                let told = try await database.run("SELECT kind || ' ' || key FROM tollgate.changes ORDER BY seq")
                #expect(
                    told.split(separator: "\n").map(String.init) == [
                        "service_token t", "api_key_owner \(owner.changeKey)", "api_key k", "project zeus",
                        "project apollo", "share s",
                    ])
            }
        }

        @Test(arguments: [("_platform", PostgreSQLError.Code.reservedTenant), ("", .missingTenant)])
        func refusesWhatIsNoTenantBeforeTheDatabaseIsAsked(_ tenant: String, _ code: PostgreSQLError.Code) async throws
        {
            try await Self.withStores { stores, database in
                let token = await #expect(throws: ServiceTokenStoreError.self) {
                    try await stores.serviceTokens.write([.insert(StoreRecords.token("t", tenant: tenant))])
                }
                #expect(token?.code == .unavailable && (token?.cause as? PostgreSQLError)?.code == code)
                let project = await #expect(throws: ProjectStoreError.self) {
                    _ = try await stores.projects.project("p", tenant: tenant)
                }
                #expect((project?.cause as? PostgreSQLError)?.code == code)
                let outside = await #expect(throws: ProjectStoreError.self) {
                    _ = try await stores.projects.isProject("p", outside: tenant)
                }
                #expect((outside?.cause as? PostgreSQLError)?.code == code)
                let usage = await #expect(throws: APIKeyStoreError.self) {
                    try await stores.apiKeys.addUsage([
                        APIKeyUsageRow(id: "k", tenantID: tenant, hour: 1, status: 200, requests: 1)
                    ])
                }
                #expect((usage?.cause as? PostgreSQLError)?.code == code)
                let caller = IdempotencyCaller(tenantID: tenant, name: "c")
                await #expect(throws: Refusal.self) {
                    _ = try await stores.idempotency.begin(key: "k", caller: caller, digest: "d")
                }
                for table in ["service_tokens", "api_key_usage", "idempotency_keys", "changes"] {
                    let rows = try await database.run("SELECT count(*) FROM tollgate.\(table)")
                    #expect(rows == "0", "\(table)")
                }
            }
        }

        @Test func oneBadWriteHoldsNoOtherUp() async throws {
            try await Self.withStores { stores, _ in
                let good = await withTaskGroup(of: Bool.self) { group in
                    for index in 0..<60 {
                        group.addTask {
                            let tenant = index % 3 == 0 ? "_platform" : "acme"
                            return
                                (try? await stores.serviceTokens.write([
                                    .insert(StoreRecords.token("t\(index)", tenant: tenant))
                                ])) != nil
                        }
                    }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(good == 40)
            }
        }

        // MARK: - Idempotency

        private static let caller = IdempotencyCaller(tenantID: "acme", name: "c")

        @Test func theDatabasesClockSaysWhatIsOver() async throws {
            try await Self.withStores(clock: nil) { stores, database in
                let store = stores.idempotency
                let answer = StoredAnswer(status: 200, body: [0, 255])
                func age(_ seconds: Int) async throws {
                    try await database.run(
                        "UPDATE tollgate.idempotency_keys SET begun_at = begun_at - \(seconds)::bigint * 1000000")
                }
                #expect(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
                await #expect(throws: Refusal.self) {
                    _ = try await store.begin(key: "k", caller: Self.caller, digest: "d")
                }
                try await age(60)
                #expect(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
                try await store.finish(key: "k", caller: Self.caller, digest: "d", answer: answer)
                try await age(86_000)
                #expect(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .answered(answer))
                try await age(401)
                #expect(try await store.begin(key: "k", caller: Self.caller, digest: "other") == .new)
            }
        }

        @Test func forgetsWhatIsOldOfEveryTenant() async throws {
            let clock = ManualClock()
            try await Self.withStores(clock: clock) { stores, database in
                for tenant in ["acme", "other", nil] {
                    let caller = IdempotencyCaller(tenantID: tenant, name: "c")
                    try await stores.idempotency.finish(
                        key: "k", caller: caller, digest: "d", answer: StoredAnswer(status: 200, body: []))
                }
                clock.advance(seconds: 86_400)
                _ = try await stores.idempotency.begin(key: "new", caller: Self.caller, digest: "d")
                #expect(try await database.run("SELECT string_agg(key, ' ') FROM tollgate.idempotency_keys") == "new")
            }
        }

        /// A replica that was only slow finds its reservation taken over.
        @Test func whoIsSlowGivesUpNothingOfOthers() async throws {
            let database = try await DatabaseSupport.migrated()
            let clock = ManualClock()
            try await DatabaseSupport.withPool(database.url) { pool in
                let slow = PostgreSQLStores(pool, clock: clock, random: SeededRandom(seed: 1)).idempotency
                let quick = PostgreSQLStores(pool, clock: clock, random: SeededRandom(seed: 2)).idempotency
                #expect(try await slow.begin(key: "k", caller: Self.caller, digest: "d") == .new)
                clock.advance(seconds: 60)
                #expect(try await quick.begin(key: "k", caller: Self.caller, digest: "d") == .new)
                await slow.abandon(key: "k", caller: Self.caller)
                await #expect(throws: Refusal.self) {
                    _ = try await slow.begin(key: "k", caller: Self.caller, digest: "d")
                }
                let answer = StoredAnswer(status: 200, body: [1])
                try await quick.finish(key: "k", caller: Self.caller, digest: "d", answer: answer)
                try await slow.finish(
                    key: "k", caller: Self.caller, digest: "d", answer: StoredAnswer(status: 200, body: [2]))
                #expect(try await slow.begin(key: "k", caller: Self.caller, digest: "d") == .answered(answer))
            }
        }
    }
}
