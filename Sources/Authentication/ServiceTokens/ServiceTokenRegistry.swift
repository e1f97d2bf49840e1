// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging

/// The life of service tokens: made, listed, rotated, revoked. A change is durable in the store before it is in force, and in force before
/// it is answered.
package final class ServiceTokenRegistry: Sendable {
    /// Told to whoever gets a new text.
    static let storeMessage = "Store this token securely. It will not be shown again."

    /// What the request path reads.
    package let table: ServiceTokenTable
    let store: any ServiceTokenStore
    let clock: any WallClock
    let random: any RandomSource
    let logger: Logger
    let locks = FamilyLocks()
    /// Whether others write to the store too: then what is changed is read from it first, and only whoever follows its changes says that
    /// the table is fresh.
    package let isShared: Bool

    /// Takes the table that it keeps up to date.
    ///
    /// - Parameter isShared: whether other processes write to the store.
    package init(
        table: ServiceTokenTable, store: any ServiceTokenStore, clock: any WallClock, random: any RandomSource,
        logger: Logger, isShared: Bool = false
    ) {
        self.table = table
        self.store = store
        self.isShared = isShared
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Fills the table from the store. Called before anything is asked.
    package func load() async throws(ServiceTokenStoreError) {
        try await read(.all)
        heard()
    }

    /// Makes a token.
    ///
    /// - Throws: `token.grant_exceeds_caller`, `token.already_exists`, `auth.store_unavailable`.
    package func create(
        _ request: CreateServiceToken, caller: TokenCaller
    ) async throws(Refusal) -> ServiceTokenAnswer {
        let now = clock.now()
        var grant = request.grant
        if !caller.admin, grant.tenantID == nil { grant.tenantID = caller.principal.tenantID }
        if let identifier = request.identifier, table.entry(identifier) != nil { throw Self.alreadyExists(identifier) }
        try caller.check(grant)
        return try await insert(request, grant: grant, caller: caller, now: now)
    }

    private func insert(
        _ request: CreateServiceToken, grant: ServiceTokenGrant, caller: TokenCaller, now: Timestamp
    ) async throws(Refusal) -> ServiceTokenAnswer {
        let (record, secret) = mint(
            identifier: request.identifier, family: nil, grant: grant, now: now,
            expiresAt: request.expiresInSeconds.map { now.adding(seconds: $0) }, rotatedFrom: nil,
            by: caller.principal.subject)
        try await commit([.insert(record)])
        return ServiceTokenAnswer(record: record, secret: secret, message: Self.storeMessage, at: now)
    }

    /// Lists tokens, the newest first.
    package func list(_ request: ListServiceTokens, caller: TokenCaller) async throws(Refusal) -> ServiceTokenPage {
        let now = clock.now()
        let start = request.cursor?.position
        var total = 0
        var records: [ServiceTokenRecord] = []
        var hasMore = false
        for entry in table.newestFirst where caller.sees(entry.record) {
            if let statuses = request.statuses, !statuses.contains(entry.record.status(at: now)) { continue }
            total += 1
            let position = CredentialPosition(
                issuedAt: entry.record.issuedAt, identifier: entry.record.identifier)
            if let start, position >= start { continue }
            if records.count < request.limit { records.append(entry.current) } else { hasMore = true }
        }
        return ServiceTokenPage(
            records: records, total: total, next: hasMore ? records.last.map { CredentialCursor(after: $0) } : nil,
            at: now)
    }

    /// Shows a token in any state.
    ///
    /// - Throws: `token.not_found`.
    package func show(_ identifier: String, caller: TokenCaller) async throws(Refusal) -> ServiceTokenAnswer {
        ServiceTokenAnswer(record: try find(identifier, caller).current, at: clock.now())
    }

    /// Replaces a token by a new one; the old text stays good for the overlap.
    ///
    /// - Throws: `token.not_found`, `token.not_active`, `token.grant_exceeds_caller`, `token.already_exists`, `auth.store_unavailable`.
    package func rotate(
        _ identifier: String, _ request: RotateServiceToken, caller: TokenCaller
    ) async throws(Refusal) -> ServiceTokenAnswer {
        try await changing(identifier, caller) {
            let old = try find(identifier, caller).record
            let now = clock.now()
            try Self.demandActive(old, now)
            if let wanted = request.identifier, table.entry(wanted) != nil { throw Self.alreadyExists(wanted) }
            var grant = old.grant
            grant.scopes = ASCII.sortedByBytes(Set(grant.scopes).union(request.addScopes))
            try caller.check(grant)
            let expiresAt = request.expiresInSeconds.map { now.adding(seconds: $0) } ?? old.expiresAt
            return try await replace(
                old, grant: grant, overlapSeconds: request.overlapSeconds, expiresAt: expiresAt,
                identifier: request.identifier, now: now, by: caller.principal.subject)
        }
    }

    /// Revokes a token, or its whole chain. Again is no fault: the first reason and time stay.
    ///
    /// - Returns: what was revoked, with the token itself as `record`.
    /// - Throws: `token.not_found`, `auth.store_unavailable`.
    @discardableResult
    package func revoke(
        _ identifier: String, _ request: RevokeServiceToken, caller: TokenCaller
    ) async throws(Refusal) -> ServiceTokenAnswer {
        try await changing(identifier, caller) {
            let before = try find(identifier, caller)
            let chain =
                request.family ? table.family(before.record.family).filter { caller.sees($0.record) } : [before]
            try await revoke(chain, reason: request.reason, by: caller.principal.subject)
            let after = table.entry(identifier)?.current ?? before.current
            return ServiceTokenAnswer(record: after, before: before.record, after: after, at: clock.now())
        }
    }
}

extension ServiceTokenRegistry {
    func find(_ identifier: String, _ caller: TokenCaller) throws(Refusal) -> ServiceTokenTable.Entry {
        guard let entry = table.entry(identifier), caller.sees(entry.record) else { throw Self.notFound(identifier) }
        return entry
    }

    /// A new record and its text, not stored yet.
    func mint(
        identifier: String?, family: String?, grant: ServiceTokenGrant, now: Timestamp, expiresAt: Timestamp?,
        rotatedFrom: String?, by creator: String
    ) -> (ServiceTokenRecord, Redacted<String>) {
        let identifier = identifier ?? TokenText.generateIdentifier(random: random)
        let secret = TokenText.generate(prefix: TokenPrefixes.serviceToken, id: identifier, random: random)
        let record = ServiceTokenRecord(
            identifier: identifier, family: family, secretDigest: SecretDigest(of: secret.revealed), grant: grant,
            issuedAt: now, expiresAt: expiresAt, rotatedFrom: rotatedFrom, createdBy: creator)
        return (record, secret)
    }

    /// Runs a change of a token while no other of its chain runs here, on the chain as the store has it.
    private func changing<Value>(
        _ identifier: String, _ caller: TokenCaller, _ body: () async throws -> Value
    ) async throws(Refusal) -> Value {
        // It may have been made elsewhere a moment ago.
        if isShared, table.entry(identifier) == nil { try await bringUp(.identifiers([identifier])) }
        return try await changing(family: try find(identifier, caller).record.family, body)
    }

    /// Stores the successor and the end of the old text in one transaction.
    func replace(
        _ old: ServiceTokenRecord, grant: ServiceTokenGrant, overlapSeconds: Int64, expiresAt: Timestamp?,
        identifier: String?, now: Timestamp, by creator: String
    ) async throws -> ServiceTokenAnswer {
        let (record, secret) = mint(
            identifier: identifier, family: old.family, grant: grant, now: now, expiresAt: expiresAt,
            rotatedFrom: old.identifier, by: creator)
        var retired = old
        let end = min(old.expiresAt ?? .latest, now.adding(seconds: overlapSeconds))
        retired.rotatedTo = record.identifier
        retired.rotationExpiresAt = end
        retired.expiresAt = end
        retired.revision += 1
        try await store([.insert(record), .update(retired)])
        let seconds = max(0, (end.microseconds - now.microseconds) / 1_000_000)
        return ServiceTokenAnswer(
            record: record, secret: secret,
            message: "New token created. Old token '\(old.identifier)' valid for \(seconds)s.", before: old,
            after: retired, at: now)
    }

    /// - Returns: the identifiers of those that were not revoked yet.
    @discardableResult
    func revoke(_ entries: [ServiceTokenTable.Entry], reason: String, by actor: String) async throws -> [String] {
        let now = clock.now()
        let open = entries.map(\.record).filter { $0.revokedAt == nil }
        let changes = open.map { record -> ServiceTokenChange in
            var record = record
            record.revokedAt = now
            record.revokedBy = actor
            record.revocationReason = reason
            record.revision += 1
            return .update(record)
        }
        if !changes.isEmpty { try await store(changes) }
        return open.map(\.identifier)
    }

    func refusal(for error: ServiceTokenStoreError, _ changes: [ServiceTokenChange]) -> Refusal {
        if error.code == .identifierInUse {
            for case .insert(let record) in changes { return Self.alreadyExists(record.identifier) }
        }
        return unavailable(error)
    }

    func unavailable(_ error: ServiceTokenStoreError) -> Refusal {
        logger.error(
            "The token store did not do its work", metadata: [LogKeys.error: .string(String(describing: error))])
        return Refusal(.authStoreUnavailable, retryAfterSeconds: 1)
    }

    static func demandActive(_ record: ServiceTokenRecord, _ now: Timestamp) throws(Refusal) {
        let status = record.status(at: now)
        guard status == .active else {
            throw Refusal(.tokenNotActive, details: ["state": .string(status.rawValue)])
        }
    }

    static func alreadyExists(_ identifier: String) -> Refusal {
        Refusal(.tokenAlreadyExists, message: "Service token '\(identifier)' already exists")
    }

    static func notFound(_ identifier: String) -> Refusal {
        Refusal(.tokenNotFound, message: "Service token '\(identifier)' not found")
    }
}
