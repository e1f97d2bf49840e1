// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// What every store of API keys must do.
@Suite struct APIKeyStoreTests {
    enum Kind: String, CaseIterable, Sendable { case sqlite, inMemory }

    private static let now = Timestamp(seconds: 1_772_366_400)

    private static func with(_ kind: Kind, _ body: (any APIKeyStore) async throws -> Void) async throws {
        switch kind {
        case .inMemory: try await body(InMemoryAPIKeyStore())
        case .sqlite:
            let directory = try TemporaryDirectory()
            let store = try SQLiteStore(path: directory.path("store.sqlite"), clock: ManualClock())
            try await body(SQLiteAPIKeyStore(store))
            try store.close()
        }
    }

    static func record(
        _ id: String, account: String = "acme", expiresAt: Timestamp? = nil, revision: Int64 = 1
    ) -> APIKeyRecord {
        var record = APIKeyRecord(
            id: id, family: "family", secretDigest: SecretDigest(of: id),
            grant: APIKeyGrant(
                name: "ä \"quoted\"", environment: .test, accountID: account, tenantID: account, projectID: "p",
                description: "d", scopes: ["a:read"], workspaceIDs: ["w"], allowedCIDRs: ["10.0.0.0/8"]),
            owner: APIKeyOwner.Identity(issuer: "https://id.example", subject: "u1", tenantID: "acme"),
            issuedAt: Timestamp(microseconds: 1_772_366_400_123_456), expiresAt: expiresAt, createdBy: "u1")
        record.revision = revision
        return record
    }

    private static func limit(_ limit: Int64, account: String = "acme", at now: Timestamp = now) -> APIKeyLimit {
        APIKeyLimit(accountID: account, tenantID: account, limit: limit, now: now)
    }

    private static func code(_ body: () async throws -> Void) async -> APIKeyStoreError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? APIKeyStoreError)?.code
        }
    }

    @Test(arguments: Kind.allCases) func givesBackWhatItTook(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            var record = Self.record("a", expiresAt: Timestamp(microseconds: 1_772_366_500_000_001))
            record.rotatedTo = "b"
            record.rotationExpiresAt = record.expiresAt
            record.revokedAt = record.issuedAt
            record.revokedBy = "admin"
            record.revocationReason = "reason"
            let nobody = APIKeyOwner.Identity(issuer: "i", subject: "u1", tenantID: nil)
            try await store.write(
                [
                    .insert(record), .owner(APIKeyOwner(identity: record.owner, roles: ["editor"])),
                    .owner(APIKeyOwner(identity: nobody, roles: ["a"])),
                    .owner(APIKeyOwner(identity: nobody, roles: ["b", "c"])),
                ], limit: nil)
            let (records, owners) = try await store.load()
            #expect(records.map(\.storedJSON) == [record.storedJSON])
            #expect(owners.count == 2)
            #expect(owners.first { $0.identity == record.owner }?.roles == ["editor"])
            #expect(owners.first { $0.identity == nobody }?.roles == ["b", "c"])
        }
    }

    @Test(arguments: Kind.allCases) func changesAllOrNothing(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a"))], limit: nil)
            let taken = await Self.code {
                try await store.write([.insert(Self.record("b")), .insert(Self.record("a"))], limit: nil)
            }
            #expect(taken == .idInUse)
            let missing = await Self.code {
                try await store.write([.insert(Self.record("b")), .update(Self.record("c", revision: 2))], limit: nil)
            }
            #expect(missing == .notFound)
            #expect(try await store.load().records.map(\.id) == ["a"])
        }
    }

    @Test(arguments: Kind.allCases) func countsActiveKeysOfOneAccount(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            var revoked = Self.record("revoked")
            revoked.revokedAt = Self.now
            var rotated = Self.record("rotated", expiresAt: Self.now.adding(seconds: 60))
            rotated.rotatedTo = "active"
            let expired = Self.record("expired", expiresAt: Self.now)
            let all = [Self.record("active"), revoked, rotated, expired, Self.record("foreign", account: "other")]
            try await store.write(all.map { .insert($0) }, limit: nil)
            let full = await Self.code {
                try await store.write([.insert(Self.record("b"))], limit: Self.limit(1))
            }
            #expect(full == .limitReached(current: 1))
            #expect(await Self.code { try await store.write([.insert(Self.record("b"))], limit: Self.limit(2)) } == nil)
            let more = await Self.code { try await store.write([.insert(Self.record("c"))], limit: Self.limit(2)) }
            #expect(more == .limitReached(current: 2))
            // What is counted is what the records say after a change.
            var gone = Self.record("active", revision: 2)
            gone.revokedAt = Self.now
            try await store.write([.update(gone)], limit: nil)
            #expect(await Self.code { try await store.write([.insert(Self.record("c"))], limit: Self.limit(2)) } == nil)
            let early = Self.limit(3, at: Self.now.adding(seconds: -1))
            let before = await Self.code { try await store.write([.insert(Self.record("d"))], limit: early) }
            #expect(before == .limitReached(current: 3))
        }
    }

    @Test(arguments: Kind.allCases) func neverMakesOneTooMany(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            let good = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        await Self.code {
                            try await store.write([.insert(Self.record("k\(index)"))], limit: Self.limit(10))
                        } == nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(good == 10)
            #expect(try await store.load().records.count == 10)
            try await store.ping()
        }
    }

    @Test(arguments: Kind.allCases) func addsUsesAndKeepsThemAcrossUpdates(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a"))], limit: nil)
            try await store.addUses([
                CredentialUse(identifier: "a", count: 2, lastUsedAt: Self.now),
                CredentialUse(identifier: "gone", count: 1, lastUsedAt: Self.now),
            ])
            try await store.write([.update(Self.record("a", revision: 2))], limit: nil)
            let later = Self.now.adding(seconds: 1)
            try await store.addUses([CredentialUse(identifier: "a", count: 3, lastUsedAt: later)])
            let back = try #require(try await store.load().records.first)
            #expect(back.useCount == 5 && back.lastUsedAt == later)
        }
    }

    @Test(arguments: Kind.allCases) func changesOnlyWhatWasRead(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a"))], limit: nil)
            var revoked = Self.record("a", revision: 2)
            revoked.revokedAt = Self.now
            try await store.write([.update(revoked)], limit: nil)
            // Computed before the key was revoked.
            let late = await Self.code {
                try await store.write([.insert(Self.record("b")), .update(Self.record("a", revision: 2))], limit: nil)
            }
            #expect(late == .conflict)
            #expect(try await store.load().records.map(\.revokedAt) == [Self.now])
        }
    }

    @Test(arguments: Kind.allCases) func readsWhatIsAskedFor(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            let known = APIKeyOwner.Identity(issuer: "i", subject: "u1", tenantID: nil)
            let other = APIKeyOwner.Identity(issuer: "i", subject: "u1", tenantID: "")
            try await store.write(
                [
                    .insert(Self.record("a")), .insert(Self.record("b")),
                    .owner(APIKeyOwner(identity: known, roles: ["r"])),
                ],
                limit: nil)
            #expect(try await store.records(.identifiers(["b", "gone", "b"])).map(\.id) == ["b"])
            #expect(try await store.records(.identifiers([])).isEmpty)
            #expect(Set(try await store.records(.family("family")).map(\.id)) == ["a", "b"])
            #expect(try await store.records(.family("other")).isEmpty)
            #expect(try await store.records(.all).count == 2)
            #expect(try await store.owners([known, other]).map(\.identity) == [known])
        }
    }

    @Test(arguments: Kind.allCases) func addsAndForgetsCounters(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            func row(_ hour: Int64, _ status: Int, _ requests: Int64, _ id: String = "a") -> APIKeyUsageRow {
                APIKeyUsageRow(id: id, tenantID: "acme", hour: hour, status: status, requests: requests)
            }
            try await store.addUsage([row(9, 200, 1), row(10, 200, 1), row(10, 403, 2), row(10, 200, 4, "b")])
            try await store.addUsage([row(10, 200, 5), row(12, 200, 7)])
            #expect(try await store.usage(of: "a", hours: 10..<12) == [row(10, 200, 6), row(10, 403, 2)])
            #expect(try await store.usage(of: "c", hours: 0..<100) == [])
            #expect(try await store.forgetUsage(before: 12) == false)
            #expect(try await store.usage(of: "a", hours: 0..<100) == [row(12, 200, 7)])
        }
    }

    @Test func survivesARestart() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("store.sqlite")
        let first = try SQLiteStore(path: path, clock: ManualClock())
        try await SQLiteAPIKeyStore(first).write([.insert(Self.record("a"))], limit: Self.limit(1))
        try first.close()
        let second = try SQLiteStore(path: path, clock: ManualClock())
        let keys = SQLiteAPIKeyStore(second)
        #expect(try await keys.load().records.map(\.storedJSON) == [Self.record("a").storedJSON])
        let full = await Self.code { try await keys.write([.insert(Self.record("b"))], limit: Self.limit(1)) }
        #expect(full == .limitReached(current: 1))
        try second.close()
    }

    @Test(arguments: ["expires_at", "revoked_at", "allowed_cidrs", "environment", "owner_issuer", "secret_hash"])
    func refusesRecordsThatCannotBeRead(_ member: String) {
        var json = Self.record("a").storedJSON
        #expect(APIKeyRecord(storedJSON: json, lastUsedAt: nil, useCount: 0) != nil)
        json[member] = "nonsense"
        if member == "owner_issuer" { json[member] = nil }
        if member == "allowed_cidrs" { json[member] = ["nonsense"] }
        #expect(APIKeyRecord(storedJSON: json, lastUsedAt: nil, useCount: 0) == nil)
    }
}
