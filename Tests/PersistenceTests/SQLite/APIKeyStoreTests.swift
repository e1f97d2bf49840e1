// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// API keys beyond what the contract of stores says.
@Suite struct APIKeyStoreTests {
    private static func limit(_ limit: Int64) -> APIKeyLimit {
        APIKeyLimit(accountID: "acme", tenantID: "acme", limit: limit, now: Timestamp(seconds: 1_772_366_400))
    }

    @Test func survivesARestart() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("store.sqlite")
        let first = try SQLiteStore(path: path, clock: ManualClock())
        try await SQLiteAPIKeyStore(first).write([.insert(StoreRecords.key("a"))], limit: Self.limit(1))
        try first.close()
        let second = try SQLiteStore(path: path, clock: ManualClock())
        let keys = SQLiteAPIKeyStore(second)
        #expect(try await keys.load().records.map(\.storedJSON) == [StoreRecords.key("a").storedJSON])
        let full = await #expect(throws: APIKeyStoreError.self) {
            try await keys.write([.insert(StoreRecords.key("b"))], limit: Self.limit(1))
        }
        #expect(full?.code == .limitReached(current: 1))
        try second.close()
    }

    @Test(arguments: ["expires_at", "revoked_at", "allowed_cidrs", "environment", "owner_issuer", "secret_hash"])
    func refusesRecordsThatCannotBeRead(_ member: String) {
        var json = StoreRecords.key("a").storedJSON
        #expect(APIKeyRecord(storedJSON: json, lastUsedAt: nil, useCount: 0) != nil)
        json[member] = "nonsense"
        if member == "owner_issuer" { json[member] = nil }
        if member == "allowed_cidrs" { json[member] = ["nonsense"] }
        #expect(APIKeyRecord(storedJSON: json, lastUsedAt: nil, useCount: 0) == nil)
    }
}
