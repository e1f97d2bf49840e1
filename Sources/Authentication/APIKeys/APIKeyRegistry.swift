// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging

/// The life of API keys: made, listed, changed, rotated, revoked. A change is durable in the store before it is in force, and in force
/// before it is answered.
package final class APIKeyRegistry: Sendable {
    /// Told to whoever gets a new text.
    static let storeMessage = "Store this key securely. It will not be shown again."

    /// What the request path reads.
    package let table: APIKeyTable
    package let clock: any WallClock
    let store: any APIKeyStore
    let logger: Logger
    let locks = FamilyLocks()
    /// Lets counters be either in memory or in the store while somebody adds them up.
    let usageLock = FamilyLocks()
    /// Whether others write to the store too: then what is changed is read from it first, and only whoever follows its changes says that
    /// the table is fresh.
    package let isShared: Bool
    private let prefixes: TokenPrefixes
    private let rules: APIKeyRules
    private let random: any RandomSource

    /// Takes the table that it keeps up to date.
    ///
    /// - Parameter isShared: whether other processes write to the store.
    package init(
        table: APIKeyTable, store: any APIKeyStore, prefixes: TokenPrefixes, rules: APIKeyRules,
        clock: any WallClock, random: any RandomSource, logger: Logger, isShared: Bool = false
    ) {
        self.table = table
        self.store = store
        self.isShared = isShared
        self.prefixes = prefixes
        self.rules = rules
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Fills the table from the store. Called before anything is asked.
    package func load() async throws(APIKeyStoreError) {
        try await readAll()
        heard()
    }

    /// Makes a key.
    ///
    /// - Throws: `request.invalid` without an account, `token.grant_exceeds_caller`, `key.limit_reached`, `auth.store_unavailable`.
    package func create(_ request: CreateAPIKey, caller: TokenCaller) async throws(Refusal) -> APIKeyAnswer {
        let now = clock.now()
        let owner = owner(for: caller)
        let account = try Self.account(request.accountID, caller)
        let grant = APIKeyGrant(
            name: request.name, environment: request.environment, accountID: account.id, tenantID: account.tenantID,
            projectID: request.projectID, description: request.description, scopes: scopes(request, caller),
            workspaceIDs: request.workspaceIDs, allowedCIDRs: request.allowedCIDRs)
        try check(grant, owner: owner, caller)
        let (record, key) = mint(
            grant, family: nil, owner: owner.identity, now: now, expiresAt: request.expiresAt, rotatedFrom: nil,
            by: caller.principal.subject)
        let allowance = rules.allowance(account.id, now)
        let limit = allowance.limit.map {
            APIKeyLimit(accountID: account.id, tenantID: account.tenantID, limit: $0, now: now)
        }
        try await commit([.owner(owner), .insert(record)], limit: limit, allowance: allowance)
        return answer(record, key: key, message: Self.storeMessage, at: now)
    }

    /// Lists keys, the newest first.
    package func list(_ request: ListAPIKeys, caller: TokenCaller) async throws(Refusal) -> APIKeyPage {
        let now = clock.now()
        let start = request.cursor?.position
        var total = 0
        var entries: [APIKeyTable.Entry] = []
        var hasMore = false
        for entry in table.newestFirst where caller.sees(entry.record) {
            if let account = request.accountID, !entry.record.accountID.isExactly(account) { continue }
            if let statuses = request.statuses, !statuses.contains(entry.record.status(at: now)) { continue }
            total += 1
            let position = CredentialPosition(issuedAt: entry.record.issuedAt, identifier: entry.record.id)
            if let start, position >= start { continue }
            if entries.count < request.limit { entries.append(entry) } else { hasMore = true }
        }
        let next = entries.last.map { CredentialCursor(issuedAt: $0.record.issuedAt, identifier: $0.record.id) }
        return APIKeyPage(
            keys: entries.map { ($0.current, $0.principal.roles) }, total: total, next: hasMore ? next : nil, at: now)
    }

    /// Shows a key in any state.
    ///
    /// - Throws: `key.not_found`.
    package func show(_ id: String, caller: TokenCaller) async throws(Refusal) -> APIKeyAnswer {
        answer(try find(id, caller).current, at: clock.now())
    }

    /// Changes what a key says of itself and what it may do.
    ///
    /// - Throws: `key.not_found`, `key.not_active`, `token.grant_exceeds_caller`, `auth.store_unavailable`.
    package func patch(
        _ id: String, _ request: PatchAPIKey, caller: TokenCaller
    ) async throws(Refusal) -> APIKeyAnswer {
        try await locked(id, caller) { old in
            let now = clock.now()
            try Self.demandActive(old, now)
            var changed = old
            if let name = request.name { changed.name = name }
            if let description = request.description { changed.description = description }
            if let scopes = request.scopes { changed.scopes = scopes }
            if let cidrs = request.allowedCIDRs { changed.allowedCIDRs = cidrs }
            if let expiresAt = request.expiresAt { changed.expiresAt = expiresAt }
            changed.revision += 1
            try check(changed.grant, owner: present(changed.owner), caller)
            try await store([.update(changed)])
            return answer(current(changed), before: old, after: changed, at: now)
        }
    }

    /// Replaces a key by a new one; the old text stays good for the overlap. No key more is active afterwards, so no limit is asked.
    ///
    /// - Throws: `key.not_found`, `key.not_active`, `token.grant_exceeds_caller`, `auth.store_unavailable`.
    package func rotate(
        _ id: String, _ request: RotateAPIKey, caller: TokenCaller
    ) async throws(Refusal) -> APIKeyAnswer {
        try await locked(id, caller) { old in
            let now = clock.now()
            try Self.demandActive(old, now)
            try check(old.grant, owner: present(old.owner), caller)
            let (record, key) = mint(
                old.grant, family: old.family, owner: old.owner, now: now,
                expiresAt: request.expiresInSeconds.map { now.adding(seconds: $0) } ?? old.expiresAt,
                rotatedFrom: old.id, by: caller.principal.subject)
            var retired = old
            let end = min(old.expiresAt ?? .latest, now.adding(seconds: request.overlapSeconds))
            retired.rotatedTo = record.id
            retired.rotationExpiresAt = end
            retired.expiresAt = end
            retired.revision += 1
            try await store([.insert(record), .update(retired)])
            let seconds = max(0, (end.microseconds - now.microseconds) / 1_000_000)
            return answer(
                record, key: key, message: "New key created. Old key '\(old.id)' valid for \(seconds)s.",
                before: old, after: retired, at: now)
        }
    }

    /// Revokes a key. Again is no fault: the first reason and time stay.
    ///
    /// - Throws: `key.not_found`, `auth.store_unavailable`.
    @discardableResult
    package func revoke(
        _ id: String, _ request: RevokeAPIKey, caller: TokenCaller
    ) async throws(Refusal) -> APIKeyAnswer {
        try await locked(id, caller) { old in
            let now = clock.now()
            guard old.revokedAt == nil else { return answer(current(old), at: now) }
            var changed = old
            changed.revokedAt = now
            changed.revokedBy = caller.principal.subject
            changed.revocationReason = request.reason
            changed.revision += 1
            try await store([.update(changed)])
            return answer(current(changed), before: old, after: changed, at: now)
        }
    }
}

extension APIKeyRegistry {
    /// The key of that id, where the caller may know that there is one.
    ///
    /// - Throws: `key.not_found`.
    func find(_ id: String, _ caller: TokenCaller) throws(Refusal) -> APIKeyTable.Entry {
        guard let entry = table.entry(id), caller.sees(entry.record) else {
            throw Refusal(.keyNotFound, message: "API key '\(id)' not found")
        }
        return entry
    }

    /// Runs a change while no other of the same rotation chain runs.
    private func locked(
        _ id: String, _ caller: TokenCaller, _ body: (APIKeyRecord) async throws -> APIKeyAnswer
    ) async throws(Refusal) -> APIKeyAnswer {
        // It may have been made elsewhere a moment ago.
        if isShared, table.entry(id) == nil { try await bringUp(.identifiers([id])) }
        return try await changing(family: try find(id, caller).record.family) {
            try await body(find(id, caller).record)
        }
    }

    private func current(_ record: APIKeyRecord) -> APIKeyRecord { table.entry(record.id)?.current ?? record }

    private func answer(
        _ record: APIKeyRecord, key: Redacted<String>? = nil, message: String? = nil, before: APIKeyRecord? = nil,
        after: APIKeyRecord? = nil, at now: Timestamp
    ) -> APIKeyAnswer {
        APIKeyAnswer(
            record: record, roles: table.roles(of: record.owner), key: key, message: message, before: before,
            after: after, at: now)
    }

    private static func demandActive(_ record: APIKeyRecord, _ now: Timestamp) throws(Refusal) {
        let status = record.status(at: now)
        guard status == .active else { throw Refusal(.keyNotActive, details: ["state": .string(status.rawValue)]) }
    }

    /// A new record and its text, not stored yet.
    private func mint(
        _ grant: APIKeyGrant, family: String?, owner: APIKeyOwner.Identity, now: Timestamp, expiresAt: Timestamp?,
        rotatedFrom: String?, by creator: String
    ) -> (APIKeyRecord, Redacted<String>) {
        let id = TokenText.generateIdentifier(random: random)
        let text = TokenText.generate(
            prefix: prefixes.apiKeyStart(grant.environment), id: id, random: random)
        let record = APIKeyRecord(
            id: id, family: family, secretDigest: SecretDigest(of: text.revealed), grant: grant, owner: owner,
            issuedAt: now, expiresAt: expiresAt, rotatedFrom: rotatedFrom, createdBy: creator)
        return (record, text)
    }

    static func limitReached(_ limit: Int64, current: Int64, _ allowance: APIKeyAllowance) -> Refusal {
        Refusal(
            .keyLimitReached, message: "API key limit reached (\(current)/\(limit))",
            details: [
                "limit": .int(limit), "current": .int(current), "plan": .string(allowance.plan),
                "upgrade": allowance.upgrade(current + 1),
            ])
    }
}

// MARK: - Whose and what

extension APIKeyRegistry {
    /// Whose key it becomes: the caller's, and a key's owner's where a key asks.
    private func owner(for caller: TokenCaller) -> APIKeyOwner {
        if caller.principal.authSource == .apiKey, let id = caller.principal.tokenID, let entry = table.entry(id) {
            return present(entry.record.owner)
        }
        return APIKeyOwner(identity: APIKeyOwner.Identity(of: caller.principal), roles: caller.principal.roles)
    }

    private func present(_ owner: APIKeyOwner.Identity) -> APIKeyOwner {
        APIKeyOwner(identity: owner, roles: table.roles(of: owner))
    }

    /// The account of a new key. One account belongs to one tenant, so where there is a tenant it says which.
    private static func account(
        _ asked: String?, _ caller: TokenCaller
    ) throws(Refusal) -> (id: String, tenantID: String?) {
        let own = caller.account
        guard let asked else {
            guard let own else {
                throw Refusal(
                    .requestInvalid, message: "account_id: required, the caller has no account",
                    details: ["fields": [["field": "account_id", "reason": "required, the caller has no account"]]])
            }
            return (own, caller.principal.tenantID)
        }
        if let own, own.isExactly(asked) { return (own, caller.principal.tenantID) }
        guard caller.admin else { throw Refusal(.tokenGrantExceedsCaller, details: ["account_id": .string(asked)]) }
        return (asked, asked)
    }

    private func scopes(_ request: CreateAPIKey, _ caller: TokenCaller) -> [String] {
        if let scopes = request.scopes { return scopes }
        let catalogue = rules.catalogue()
        guard let shorthand = request.permissions else {
            return ASCII.sortedByBytes(Set(catalogue.defaultScopes))
        }
        return ASCII.sortedByBytes(Set(catalogue.permissions(shorthand).filter { caller.holds($0) }))
    }

    /// Nobody grants more than he holds: neither scopes and workspaces, nor a project that is not his, nor the roles of somebody else.
    private func check(_ grant: APIKeyGrant, owner: APIKeyOwner, _ caller: TokenCaller) throws(Refusal) {
        let isOwn = self.owner(for: caller).identity == owner.identity
        var further = JSONObject()
        if let project = grant.projectID, caller.principal.projectID?.isExactly(project) != true {
            further["project_id"] = .string(project)
        }
        try caller.check(
            ServiceTokenGrant(
                scopes: grant.scopes, roles: isOwn ? [] : owner.roles, workspaceIDs: grant.workspaceIDs,
                tenantID: caller.admin ? grant.tenantID : caller.principal.tenantID),
            further: further)
    }
}
