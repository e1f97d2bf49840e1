// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What `ServiceToken` objects ask for: the actor is `system`, and no grant rule binds it, because whoever may write the object was checked
/// where the object was accepted.
extension ServiceTokenRegistry {
    /// The subject of changes that no caller asked for.
    package static let systemActor = "system"

    /// Makes a token with a generated identifier.
    ///
    /// - Parameter family: the object's family; nil begins one.
    /// - Throws: `auth.store_unavailable`.
    package func mintForObject(
        _ grant: ServiceTokenGrant, family: String?, expiresAt: Timestamp?
    ) async throws(Refusal) -> ServiceTokenAnswer {
        let now = clock.now()
        let (record, secret) = mint(
            identifier: nil, family: family, grant: grant, now: now, expiresAt: expiresAt, rotatedFrom: nil,
            by: Self.systemActor)
        try await commit([.insert(record)])
        return ServiceTokenAnswer(record: record, secret: secret, message: Self.storeMessage, at: now)
    }

    /// Makes the record of an object's token again, from the text that its Secret still holds: the store has lost it.
    ///
    /// - Returns: nil when the text is no token of that identifier.
    /// - Throws: `token.already_exists`, `auth.store_unavailable`.
    package func recreateForObject(
        _ text: Redacted<String>, identifier: String, family: String, grant: ServiceTokenGrant, issuedAt: Timestamp,
        expiresAt: Timestamp?
    ) async throws(Refusal) -> ServiceTokenAnswer? {
        guard case .wellFormed(.serviceToken, identifier) = TokenText.read(text.revealed, prefixes: TokenPrefixes())
        else { return nil }
        let record = ServiceTokenRecord(
            identifier: identifier, family: family, secretDigest: SecretDigest(of: text.revealed), grant: grant,
            issuedAt: issuedAt, expiresAt: expiresAt, createdBy: Self.systemActor)
        try await commit([.insert(record)])
        return ServiceTokenAnswer(record: record, at: clock.now())
    }

    /// Replaces a token of an object by one with this grant; the old text stays good for the overlap.
    ///
    /// - Throws: `token.not_found`, `token.not_active`, `auth.store_unavailable`.
    package func rotateForObject(
        _ identifier: String, grant: ServiceTokenGrant, overlapSeconds: Int64, expiresAt: Timestamp?
    ) async throws(Refusal) -> ServiceTokenAnswer {
        guard let found = table.entry(identifier) else { throw Self.notFound(identifier) }
        return try await changing(family: found.record.family) {
            guard let old = table.entry(identifier)?.record else { throw Self.notFound(identifier) }
            let now = clock.now()
            try Self.demandActive(old, now)
            return try await replace(
                old, grant: grant, overlapSeconds: overlapSeconds, expiresAt: expiresAt, identifier: nil, now: now,
                by: Self.systemActor)
        }
    }

    /// Gives the present token of an object another grant or end, without a new text. The same again writes nothing.
    ///
    /// - Throws: `token.not_found`, `token.not_active` (revoked), `auth.store_unavailable`.
    package func updateForObject(
        _ identifier: String, grant: ServiceTokenGrant, expiresAt: Timestamp?
    ) async throws(Refusal) -> ServiceTokenAnswer {
        guard let found = table.entry(identifier)?.record else { throw Self.notFound(identifier) }
        let now = clock.now()
        // Every pass over the objects comes here: the store is asked only when there is something to write.
        if found.revokedAt == nil, Self.changed(found, grant: grant, expiresAt: expiresAt) == nil {
            return ServiceTokenAnswer(record: found, before: found, after: found, at: now)
        }
        return try await changing(family: found.family) {
            guard let old = table.entry(identifier)?.record else { throw Self.notFound(identifier) }
            guard old.revokedAt == nil else {
                throw Refusal(.tokenNotActive, details: ["state": .string(old.status(at: now).rawValue)])
            }
            let changed = Self.changed(old, grant: grant, expiresAt: expiresAt)
            if let changed { try await store([.update(changed)]) }
            return ServiceTokenAnswer(record: changed ?? old, before: old, after: changed ?? old, at: now)
        }
    }

    /// The record with another grant and end; nil when it has them.
    private static func changed(
        _ record: ServiceTokenRecord, grant: ServiceTokenGrant, expiresAt: Timestamp?
    ) -> ServiceTokenRecord? {
        var changed = record
        changed.grant = grant
        // The end of a text that was rotated away is the overlap's and stays.
        if record.rotatedTo == nil { changed.expiresAt = expiresAt }
        guard changed.grant != record.grant || changed.expiresAt != record.expiresAt else { return nil }
        changed.revision += 1
        return changed
    }

    /// Revokes every token of an object. Again is no fault.
    ///
    /// - Parameter actor: whom the records name.
    /// - Returns: the identifiers of those that were not revoked yet.
    /// - Throws: `auth.store_unavailable`.
    @discardableResult
    package func revokeFamily(
        _ family: String, reason: String, by actor: String = systemActor
    ) async throws(Refusal) -> [String] {
        try await changing(family: family) {
            try await revoke(table.family(family), reason: reason, by: actor)
        }
    }
}
