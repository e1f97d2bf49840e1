// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// What every store of service tokens must do.
@Suite struct ServiceTokenStoreTests {
    enum Kind: String, CaseIterable, Sendable { case sqlite, inMemory }

    private static func with(
        _ kind: Kind, _ body: (any ServiceTokenStore) async throws -> Void
    ) async throws {
        switch kind {
        case .inMemory: try await body(InMemoryTokenStore())
        case .sqlite:
            let directory = try TemporaryDirectory()
            let store = try SQLiteStore(path: directory.path("store.sqlite"), clock: ManualClock())
            try await body(store)
            try store.close()
        }
    }

    static func record(
        _ identifier: String, expiresAt: Timestamp? = nil, revision: Int64 = 1
    ) -> ServiceTokenRecord {
        var record = ServiceTokenRecord(
            identifier: identifier, family: "family", secretDigest: SecretDigest(of: identifier),
            grant: ServiceTokenGrant(
                description: "ä \"quoted\"", scopes: ["a:read"], roles: ["r"], workspaceIDs: ["w"], tenantID: "acme",
                platform: true, allowedCIDRs: ["10.0.0.0/8"]),
            issuedAt: Timestamp(microseconds: 1_772_366_400_123_456), expiresAt: expiresAt, createdBy: "admin")
        record.revision = revision
        return record
    }

    private static func code(_ body: () async throws -> Void) async -> ServiceTokenStoreError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ServiceTokenStoreError)?.code
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
            try await store.write([.insert(record)])
            let back = try #require(try await store.loadServiceTokens().first)
            #expect(back.storedJSON == record.storedJSON)
            #expect(back.useCount == 0 && back.lastUsedAt == nil)
        }
    }

    @Test(arguments: Kind.allCases) func changesAllOrNothing(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a"))])
            let taken = await Self.code {
                try await store.write([.insert(Self.record("b")), .insert(Self.record("a"))])
            }
            #expect(taken == .identifierInUse)
            let missing = await Self.code {
                try await store.write([.insert(Self.record("b")), .update(Self.record("c", revision: 2))])
            }
            #expect(missing == .notFound)
            #expect(try await store.loadServiceTokens().map(\.identifier) == ["a"])
        }
    }

    @Test(arguments: Kind.allCases) func addsUsesAndKeepsThemAcrossUpdates(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a"))])
            let at = Timestamp(seconds: 1_772_366_400)
            try await store.addUses([
                CredentialUse(identifier: "a", count: 2, lastUsedAt: at),
                CredentialUse(identifier: "gone", count: 1, lastUsedAt: at),
            ])
            try await store.write([.update(Self.record("a", revision: 2))])
            try await store.addUses([CredentialUse(identifier: "a", count: 3, lastUsedAt: at.adding(seconds: 1))])
            let back = try #require(try await store.loadServiceTokens().first)
            #expect(back.useCount == 5)
            #expect(back.lastUsedAt == at.adding(seconds: 1))
        }
    }

    @Test(arguments: Kind.allCases) func changesOnlyWhatWasRead(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a"))])
            var revoked = Self.record("a", revision: 2)
            revoked.revokedAt = revoked.issuedAt
            try await store.write([.update(revoked)])
            // Computed before the token was revoked.
            let late = await Self.code {
                try await store.write([.insert(Self.record("b")), .update(Self.record("a", revision: 2))])
            }
            #expect(late == .conflict)
            #expect(try await store.loadServiceTokens().map(\.revokedAt) == [revoked.issuedAt])
        }
    }

    @Test(arguments: Kind.allCases) func readsWhatIsAskedFor(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            try await store.write([.insert(Self.record("a")), .insert(Self.record("b"))])
            #expect(try await store.serviceTokens(.identifiers(["b", "gone", "b"])).map(\.identifier) == ["b"])
            #expect(try await store.serviceTokens(.identifiers([])).isEmpty)
            #expect(Set(try await store.serviceTokens(.family("family")).map(\.identifier)) == ["a", "b"])
            #expect(try await store.serviceTokens(.family("other")).isEmpty)
        }
    }

    @Test(arguments: Kind.allCases) func oneOfManyTakesAnIdentifier(_ kind: Kind) async throws {
        try await Self.with(kind) { store in
            let good = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        await Self.code { try await store.write([.insert(Self.record("t\(index % 50)"))]) } == nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(good == 50)
            #expect(try await store.loadServiceTokens().count == 50)
            try await store.ping()
        }
    }
}
