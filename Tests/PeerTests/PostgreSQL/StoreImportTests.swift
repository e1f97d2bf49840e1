// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import GRDB
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// What is in a file comes into a database: everything or nothing.
    @Suite struct ImportTests {
        private let directory: TemporaryDirectory
        private let clock = ManualClock()

        init() throws { directory = try TemporaryDirectory() }

        private var path: String { directory.path("tollgate.sqlite") }

        private static let answer = StoredAnswer(status: 201, body: Array(#"{"ä":"\u0000"}"#.utf8))
        private static let callers = [
            IdempotencyCaller(tenantID: nil, name: "c"), IdempotencyCaller(tenantID: "acme", name: "c"),
        ]

        /// One of everything, with and without a tenant, and more tokens than one statement takes.
        private func fill() async throws -> SQLiteStore {
            let store = try SQLiteStore(path: path, clock: clock)
            let keys = SQLiteAPIKeyStore(store)
            try await store.write((0..<2500).map { .insert(StoreRecords.token("t\($0)")) })
            var revoked = StoreRecords.token("revoked", tenant: nil)
            revoked.revokedAt = StoreRecords.start
            revoked.revision = 5
            try await store.write([.insert(revoked)])
            try await store.addUses([CredentialUse(identifier: "t7", count: 3, lastUsedAt: StoreRecords.start)])
            let nobody = APIKeyOwner.Identity(issuer: "i\"{", subject: "u\\,", tenantID: nil)
            try await keys.write(
                [
                    .insert(StoreRecords.key("k")), .insert(StoreRecords.key("free", tenant: .some(nil))),
                    .owner(APIKeyOwner(identity: nobody, roles: ["a", "ä"])),
                    .owner(APIKeyOwner(identity: StoreRecords.key("k").owner, roles: [])),
                ], limit: nil)
            try await keys.addUsage([
                APIKeyUsageRow(id: "k", tenantID: "acme", hour: 1, status: 200, requests: 4),
                APIKeyUsageRow(id: "free", tenantID: nil, hour: 1, status: 429, requests: 2),
            ])
            for tenant in ["acme", nil] {
                try await store.write([
                    .insertProject(StoreRecords.project("zeus", tenant: tenant)),
                    .insertProject(StoreRecords.project("apollo", tenant: tenant)),
                    .insertShare(StoreRecords.share("s-\(tenant ?? "none")", tenant: tenant, state: .accepted)),
                ])
            }
            for caller in Self.callers {
                try await store.finish(key: "k", caller: caller, digest: "d", answer: Self.answer)
                _ = try await store.begin(key: "reserved", caller: caller, digest: "d")
            }
            try await store.saveStatus(
                ObjectStatusRecord(kind: "AuthConfig", namespace: "a", name: "n", status: ["ready": true]))
            return store
        }

        @Test func bringsEverythingOver() async throws {
            let file = try await fill()
            let target = try await DatabaseSupport.migrated()
            let report = try await DatabaseSupport.withAdministration(target.adminURL) {
                try await StoreImport($0).run(from: path)
            }
            let expected = [
                "service_tokens": 2501, "api_keys": 2, "api_key_usage": 2, "owner_roles": 2, "projects": 4,
                "project_access": 2, "idempotency_keys": 2, "object_statuses": 1,
            ]
            let filled = report.tables.filter { $0.rows > 0 }
            #expect(Dictionary(uniqueKeysWithValues: filled.map { ($0.name, $0.rows) }) == expected)
            try await DatabaseSupport.withPool(target.url) { pool in
                let stores = PostgreSQLStores(pool, clock: clock, random: SeededRandom(seed: 1))
                try await Self.compare(file, stores)
                for caller in Self.callers {
                    let again = try await stores.idempotency.begin(key: "k", caller: caller, digest: "d")
                    #expect(again == .answered(Self.answer))
                    // What a server that has ended had reserved is nobody's.
                    #expect(try await stores.idempotency.begin(key: "reserved", caller: caller, digest: "x") == .new)
                }
                #expect(try await stores.statuses.loadStatuses() == file.loadStatuses())
                try await stores.serviceTokens.write([
                    .update(StoreRecords.revised(StoreRecords.token("t0")) { $0.revokedAt = StoreRecords.start })
                ])
                try await StoreInvariants(clock: clock).check(
                    StoreSet(tokens: stores.serviceTokens, keys: stores.apiKeys, projects: stores.projects))
            }
            // Replicas that run already hear of what came.
            let told = try await target.run("SELECT count(*) FROM tollgate.changes WHERE kind = 'service_token'")
            #expect((Int(told) ?? 0) >= 2501)
            try file.close()
        }

        private static func compare(_ file: SQLiteStore, _ stores: PostgreSQLStores) async throws {
            func tokens(_ store: any ServiceTokenStore) async throws -> [String: String] {
                Dictionary(
                    uniqueKeysWithValues: try await store.loadServiceTokens().map {
                        (
                            $0.identifier,
                            "\(JSONValue.object($0.storedJSON).jsonText) \($0.useCount) \($0.lastUsedAt as Any)"
                        )
                    })
            }
            #expect(try await tokens(file) == tokens(stores.serviceTokens))
            func keys(_ store: any APIKeyStore) async throws -> (
                records: [String: String], owners: [APIKeyOwner.Identity: [String]]
            ) {
                let (records, owners) = try await store.load()
                return (
                    Dictionary(
                        uniqueKeysWithValues: records.map { ($0.id, JSONValue.object($0.storedJSON).jsonText) }),
                    Dictionary(uniqueKeysWithValues: owners.map { ($0.identity, $0.roles) })
                )
            }
            let (before, after) = (try await keys(SQLiteAPIKeyStore(file)), try await keys(stores.apiKeys))
            #expect(before.records == after.records && before.owners == after.owners)
            for id in ["k", "free"] {
                let usage = try await SQLiteAPIKeyStore(file).usage(of: id, hours: 0..<9)
                #expect(try await stores.apiKeys.usage(of: id, hours: 0..<9) == usage)
            }
            #expect(try await Set(stores.projects.acceptedShares()) == Set(file.acceptedShares()))
            for tenant in ["acme", nil] {
                let page = try await stores.projects.projects(tenant: tenant, page: PageRequest())
                #expect(try await page.items == file.projects(tenant: tenant, page: PageRequest()).items)
            }
        }

        private func fault(_ target: TestDatabase, from path: String? = nil) async throws -> StoreImportError? {
            try await DatabaseSupport.withAdministration(target.adminURL) { pool in
                await #expect(throws: StoreImportError.self) {
                    _ = try await StoreImport(pool).run(from: path ?? self.path)
                }
            }
        }

        @Test func refusesASecondTime() async throws {
            try await fill().close()
            let target = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withAdministration(target.adminURL) {
                _ = try await StoreImport($0).run(from: path)
            }
            let fault = try await fault(target)
            #expect(fault?.code == .notEmpty)
            #expect(fault?.message.contains("service_tokens, api_keys") == true)
            #expect(try await target.run("SELECT count(*) FROM tollgate.service_tokens") == "2501")
        }

        @Test func oneRowAnywhereIsNotEmpty() async throws {
            try await fill().close()
            let target = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(target.url) { pool in
                try await PostgreSQLStores(pool, random: SeededRandom(seed: 1)).projects.write([
                    .insertProject(StoreRecords.project("zeus"))
                ])
            }
            #expect(try await fault(target)?.code == .notEmpty)
            #expect(try await target.run("SELECT count(*) FROM tollgate.service_tokens") == "0")
        }

        @Test func whatCannotBeReadLeavesNothingBehind() async throws {
            try await fill().close()
            let queue = try DatabaseQueue(path: path)
            try await queue.write { db in
                try db.execute(sql: "UPDATE api_keys SET record = '{}' WHERE id = 'k'")
            }
            try queue.close()
            let target = try await DatabaseSupport.migrated()
            let fault = try await fault(target)
            #expect(fault?.code == .unreadable && fault?.message.contains("API key 'k'") == true)
            #expect(try await target.run("SELECT count(*) FROM tollgate.service_tokens") == "0")
            #expect(try await target.run("SELECT count(*) FROM tollgate.changes") == "0")
        }

        @Test func refusesOtherFiles() async throws {
            let target = try await DatabaseSupport.migrated()
            #expect(try await fault(target, from: directory.path("none"))?.code == .missing)
            try directory.write("no database at all, only text that is long enough", to: "text")
            #expect(try await fault(target, from: directory.path("text"))?.code == .unreadable)
            let queue = try DatabaseQueue(path: directory.path("foreign"))
            try await queue.write { db in try db.execute(sql: "CREATE TABLE t (a)") }
            #expect(try await fault(target, from: directory.path("foreign"))?.code == .foreign)
            try SQLiteStore(path: path, clock: clock).close()
            let newer = try DatabaseQueue(path: path)
            try await newer.write { db in try db.execute(sql: "PRAGMA user_version = 999") }
            #expect(try await fault(target)?.code == .otherVersion)
            try await newer.write { db in try db.execute(sql: "PRAGMA user_version = 1") }
            #expect(try await fault(target)?.message.contains("start this version of Tollgate on it once") == true)
        }
    }
}
