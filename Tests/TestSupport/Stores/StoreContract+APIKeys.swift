// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials

extension StoreContract {
    /// What stores of API keys do.
    package static let apiKeys: [Behaviour] = [
        Behaviour("keys: give back what they took") { try await $0.keysGiveBack() },
        Behaviour("keys: change all or nothing") { try await $0.keysChangeAllOrNothing() },
        Behaviour("keys: change only what was read") { try await $0.keysChangeOnlyWhatWasRead() },
        Behaviour("keys: are found by id, family and owner") { try await $0.keysAreFound() },
        Behaviour("keys: count the active ones of an account") { try await $0.countsActiveKeys() },
        Behaviour("keys: never one too many") { try await $0.neverOneKeyTooMany() },
        Behaviour("keys: keep uses across updates") { try await $0.keysKeepUses() },
        Behaviour("keys: add and forget counters") { try await $0.addsAndForgetsCounters() },
    ]

    static func limit(_ limit: Int64, account: String = "acme", at now: Timestamp = keyTime) -> APIKeyLimit {
        APIKeyLimit(accountID: account, tenantID: account, limit: limit, now: now)
    }

    static let keyTime = Timestamp(seconds: 1_772_366_400)

    private func keysGiveBack() async throws {
        var record = StoreRecords.key("a", expiresAt: Timestamp(microseconds: 1_772_366_500_000_001))
        record.rotatedTo = "b"
        record.rotationExpiresAt = record.expiresAt
        record.revokedAt = record.issuedAt
        record.revokedBy = "admin"
        record.revocationReason = "reason"
        let nobody = APIKeyOwner.Identity(issuer: "i", subject: "u1", tenantID: nil)
        try await keys.write(
            [
                .insert(record), .owner(APIKeyOwner(identity: record.owner, roles: ["editor"])),
                .owner(APIKeyOwner(identity: nobody, roles: ["a"])),
                .owner(APIKeyOwner(identity: nobody, roles: ["b", "c"])),
            ], limit: nil)
        let (records, owners) = try await keys.load()
        try hold(records.map(\.storedJSON) == [record.storedJSON])
        try hold(owners.count == 2)
        try hold(owners.first { $0.identity == record.owner }?.roles == ["editor"])
        try hold(owners.first { $0.identity == nobody }?.roles == ["b", "c"])
        try await keys.write([.insert(StoreRecords.key("free", tenant: .some(nil)))], limit: nil)
        try hold(try await keys.records(.identifiers(["free"])).map(\.tenantID) == [nil])
    }

    private func keysChangeAllOrNothing() async throws {
        try await keys.write([.insert(StoreRecords.key("a"))], limit: nil)
        let taken = await keyFault {
            try await keys.write([.insert(StoreRecords.key("b")), .insert(StoreRecords.key("a"))], limit: nil)
        }
        try hold(taken == .idInUse)
        let missing = await keyFault {
            try await keys.write([.insert(StoreRecords.key("b")), .update(StoreRecords.key("c"))], limit: nil)
        }
        try hold(missing == .notFound)
        try hold(try await keys.load().records.map(\.id) == ["a"])
    }

    private func keysChangeOnlyWhatWasRead() async throws {
        let first = StoreRecords.key("a")
        try await keys.write([.insert(first)], limit: nil)
        let revoked = StoreRecords.revised(first) { $0.revokedAt = StoreRecords.start }
        try await keys.write([.update(revoked)], limit: nil)
        let stale = await keyFault {
            try await keys.write(
                [.insert(StoreRecords.key("b")), .update(StoreRecords.revised(first) { $0.name = "n" })], limit: nil)
        }
        try hold(stale == .conflict)
        let all = try await keys.load().records
        try hold(all.count == 1 && all[0].storedJSON == revoked.storedJSON)
    }

    private func keysAreFound() async throws {
        let owner = APIKeyOwner.Identity(issuer: "i", subject: "u", tenantID: "acme")
        let other = APIKeyOwner.Identity(issuer: "i", subject: "u", tenantID: nil)
        try await keys.write(
            [
                .insert(StoreRecords.key("a")), .insert(StoreRecords.key("b", account: "other")),
                .owner(APIKeyOwner(identity: owner, roles: ["x"])), .owner(APIKeyOwner(identity: other, roles: [])),
            ], limit: nil)
        try hold(try await keys.records(.identifiers(["b", "none"])).map(\.id) == ["b"])
        try hold(try await keys.records(.family("family")).map(\.id).sorted() == ["a", "b"])
        try hold(try await keys.records(.all).count == 2)
        let absent = APIKeyOwner.Identity(issuer: "i", subject: "nobody", tenantID: nil)
        let owners = try await keys.owners([other, absent])
        try hold(owners.count == 1 && owners[0].identity == other && owners[0].roles == [])
        try hold(try await keys.owners([owner, other, owner]).count == 2)
        try hold(try await keys.owners([]).isEmpty)
    }

    private func countsActiveKeys() async throws {
        let now = Self.keyTime
        var revoked = StoreRecords.key("revoked")
        revoked.revokedAt = now
        var rotated = StoreRecords.key("rotated", expiresAt: now.adding(seconds: 60))
        rotated.rotatedTo = "active"
        let expired = StoreRecords.key("expired", expiresAt: now)
        let all = [
            StoreRecords.key("active"), revoked, rotated, expired, StoreRecords.key("foreign", account: "other"),
        ]
        try await keys.write(all.map { .insert($0) }, limit: nil)
        func tries(_ id: String, _ limit: APIKeyLimit) async -> APIKeyStoreError.Code? {
            await keyFault { try await keys.write([.insert(StoreRecords.key(id))], limit: limit) }
        }
        try hold(await tries("b", Self.limit(1)) == .limitReached(current: 1))
        try hold(await tries("b", Self.limit(2)) == nil)
        try hold(await tries("c", Self.limit(2)) == .limitReached(current: 2))
        // What is counted is what the records say after a change.
        let gone = StoreRecords.revised(StoreRecords.key("active")) { $0.revokedAt = now }
        try await keys.write([.update(gone)], limit: nil)
        try hold(await tries("c", Self.limit(2)) == nil)
        try hold(await tries("d", Self.limit(3, at: now.adding(seconds: -1))) == .limitReached(current: 3))
    }

    private func neverOneKeyTooMany() async throws {
        let good = await countAtOnce(50) { index in
            await keyFault {
                try await keys.write([.insert(StoreRecords.key("k\(index)"))], limit: Self.limit(10))
            } == nil
        }
        try hold(good == 10, "\(good)")
        try hold(try await keys.load().records.count == 10)
        try await keys.ping()
    }

    private func keysKeepUses() async throws {
        let now = Self.keyTime
        try await keys.write([.insert(StoreRecords.key("a"))], limit: nil)
        try await keys.addUses([
            CredentialUse(identifier: "a", count: 2, lastUsedAt: now),
            CredentialUse(identifier: "gone", count: 1, lastUsedAt: now),
        ])
        try await keys.write([.update(StoreRecords.revised(StoreRecords.key("a")))], limit: nil)
        let later = now.adding(seconds: 1)
        try await keys.addUses([CredentialUse(identifier: "a", count: 3, lastUsedAt: later)])
        let back = try found(try await keys.load().records.first)
        try hold(back.useCount == 5 && back.lastUsedAt == later)
    }

    private func addsAndForgetsCounters() async throws {
        func row(
            _ hour: Int64, _ status: Int, _ requests: Int64, _ id: String = "a", tenant: String? = "acme"
        ) -> APIKeyUsageRow {
            APIKeyUsageRow(id: id, tenantID: tenant, hour: hour, status: status, requests: requests)
        }
        try await keys.addUsage([
            row(9, 200, 1), row(10, 200, 1), row(10, 403, 2), row(10, 200, 4, "b"), row(10, 200, 3, "n", tenant: nil),
        ])
        try await keys.addUsage([row(10, 200, 5), row(12, 200, 7), row(10, 200, 1, "n", tenant: nil)])
        try hold(try await keys.usage(of: "a", hours: 10..<12) == [row(10, 200, 6), row(10, 403, 2)])
        try hold(try await keys.usage(of: "n", hours: 10..<12) == [row(10, 200, 4, "n", tenant: nil)])
        try hold(try await keys.usage(of: "c", hours: 0..<100) == [])
        try hold(try await keys.forgetUsage(before: 12) == false)
        try hold(try await keys.usage(of: "a", hours: 0..<100) == [row(12, 200, 7)])
        try await keys.addUsage([])
    }
}
