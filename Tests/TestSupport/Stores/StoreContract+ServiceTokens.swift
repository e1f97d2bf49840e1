// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials

extension StoreContract {
    /// What stores of service tokens do.
    package static let serviceTokens: [Behaviour] = [
        Behaviour("tokens: give back what they took") { try await $0.tokensGiveBack() },
        Behaviour("tokens: change all or nothing") { try await $0.tokensChangeAllOrNothing() },
        Behaviour("tokens: change only what was read") { try await $0.tokensChangeOnlyWhatWasRead() },
        Behaviour("tokens: are found by identifier and family") { try await $0.tokensAreFound() },
        Behaviour("tokens: keep uses across updates") { try await $0.tokensKeepUses() },
        Behaviour("tokens: one of many takes an identifier") { try await $0.oneOfManyTakesAnIdentifier() },
        Behaviour("tokens: of several tenants in one write") { try await $0.tokensOfSeveralTenants() },
    ]

    private func tokensGiveBack() async throws {
        for tenant in ["acme", nil] {
            var record = StoreRecords.token(
                "a-\(tenant ?? "none")", tenant: tenant, expiresAt: Timestamp(microseconds: 1_772_366_500_000_001))
            record.rotatedTo = "b"
            record.rotationExpiresAt = record.expiresAt
            record.revokedAt = record.issuedAt
            record.revokedBy = "admin"
            record.revocationReason = "reason"
            record.revision = 7
            try await tokens.write([.insert(record)])
            let back = try found(try await tokens.serviceTokens(.identifiers([record.identifier])).first)
            try hold(back.storedJSON == record.storedJSON)
            try hold(back.useCount == 0 && back.lastUsedAt == nil)
        }
        try hold(try await tokens.loadServiceTokens().count == 2)
    }

    private func tokensChangeAllOrNothing() async throws {
        try await tokens.write([.insert(StoreRecords.token("a"))])
        let taken = await tokenFault {
            try await tokens.write([.insert(StoreRecords.token("b")), .insert(StoreRecords.token("a"))])
        }
        try hold(taken == .identifierInUse)
        let missing = await tokenFault {
            try await tokens.write([.insert(StoreRecords.token("b")), .update(StoreRecords.token("c"))])
        }
        try hold(missing == .notFound)
        // An identifier is one in the whole installation.
        let foreign = await tokenFault {
            try await tokens.write([.insert(StoreRecords.token("a", tenant: "other"))])
        }
        try hold(foreign == .identifierInUse)
        try hold(try await tokens.loadServiceTokens().map(\.identifier) == ["a"])
    }

    private func tokensChangeOnlyWhatWasRead() async throws {
        let first = StoreRecords.token("a")
        try await tokens.write([.insert(first)])
        let revoked = StoreRecords.revised(first) { $0.revokedAt = StoreRecords.start }
        try await tokens.write([.update(revoked)])
        let stale = await tokenFault {
            try await tokens.write([
                .insert(StoreRecords.token("b")), .update(StoreRecords.revised(first) { $0.rotatedTo = "b" }),
            ])
        }
        try hold(stale == .conflict)
        let all = try await tokens.loadServiceTokens()
        try hold(all.count == 1 && all[0].storedJSON == revoked.storedJSON)
    }

    private func tokensAreFound() async throws {
        try await tokens.write([
            .insert(StoreRecords.token("a", family: "f")), .insert(StoreRecords.token("b", family: "f", tenant: nil)),
            .insert(StoreRecords.token("c", family: "g", tenant: "other")),
        ])
        func found(_ selection: CredentialSelection) async throws -> [String] {
            try await tokens.serviceTokens(selection).map(\.identifier).sorted()
        }
        try hold(try await found(.all) == ["a", "b", "c"])
        try hold(try await found(.identifiers(["c", "none", "a", "a"])) == ["a", "c"])
        try hold(try await found(.identifiers([])) == [])
        try hold(try await found(.family("f")) == ["a", "b"])
        try hold(try await found(.family("none")) == [])
    }

    private func tokensKeepUses() async throws {
        let at = Timestamp(seconds: 1_772_366_400)
        for tenant in ["acme", nil] {
            let record = StoreRecords.token("a-\(tenant ?? "none")", tenant: tenant)
            try await tokens.write([.insert(record)])
            try await tokens.addUses([
                CredentialUse(identifier: record.identifier, count: 2, lastUsedAt: at),
                CredentialUse(identifier: "gone", count: 1, lastUsedAt: at),
            ])
            try await tokens.write([.update(StoreRecords.revised(record))])
            try await tokens.addUses([
                CredentialUse(identifier: record.identifier, count: 3, lastUsedAt: at.adding(seconds: 1))
            ])
            let back = try found(try await tokens.serviceTokens(.identifiers([record.identifier])).first)
            try hold(back.useCount == 5 && back.lastUsedAt == at.adding(seconds: 1))
        }
        try await tokens.addUses([])
    }

    private func oneOfManyTakesAnIdentifier() async throws {
        let good = await countAtOnce(200) { index in
            await tokenFault { try await tokens.write([.insert(StoreRecords.token("t\(index % 50)"))]) } == nil
        }
        try hold(good == 50, "\(good)")
        try hold(try await tokens.loadServiceTokens().count == 50)
        try await tokens.ping()
    }

    private func tokensOfSeveralTenants() async throws {
        let records = ["acme", nil, "other", "acme"].enumerated().map {
            StoreRecords.token("t\($0.offset)", tenant: $0.element)
        }
        try await tokens.write(records.map { .insert($0) })
        try await tokens.write(records.map { .update(StoreRecords.revised($0) { $0.revokedBy = "me" }) })
        let back = try await tokens.loadServiceTokens()
        try hold(back.count == 4 && back.allSatisfy { $0.revokedBy == "me" && $0.revision == 2 })
    }
}
