// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Authentication
package import Essentials
package import Logging
package import ResourceModel

/// Makes, renews and revokes the tokens that ServiceToken objects ask for. Every pass looks at what is there and does only what is missing.
package struct ServiceTokenReconciler: Sendable {
    private let registry: ServiceTokenRegistry
    private let texts: any TokenTextKeeping
    private let namespaces: NamespaceRules
    private let records: TokenRecorder
    private let logger: Logger
    private let acted: @Sendable (ObjectKey, Act) -> Void
    /// Microseconds by which the end of a text may differ from the sum of its beginning and its length.
    private static let endTolerance: Int64 = 5_000_000

    /// What was done to the token of an object.
    package enum Act: String, Sendable {
        case minted = "TokenMinted"
        case rotated = "TokenRotated"
        case restored = "SecretRestored"
        case revoked = "TokenRevoked"
    }

    /// - Parameters:
    ///   - audit: where what is done to tokens is recorded, with actor `system`.
    ///   - acted: told of what was done, after it was.
    package init(
        registry: ServiceTokenRegistry, texts: any TokenTextKeeping, namespaces: NamespaceRules,
        audit: any AuditRecording, logger: Logger, acted: @escaping @Sendable (ObjectKey, Act) -> Void = { _, _ in }
    ) {
        self.acted = acted
        self.registry = registry
        self.texts = texts
        self.namespaces = namespaces
        records = TokenRecorder(audit: audit, logger: logger)
        self.logger = logger
    }

    /// Brings every token to what its object says, and revokes those whose object is gone.
    ///
    /// - Parameters:
    ///   - earlier: the status of all objects as it was kept.
    ///   - missing: keys of `earlier` that are only out of sight: their tokens stay as they are.
    package func reconcile(
        _ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue], missing: Set<ObjectKey> = [], now: Timestamp
    ) async -> [ObjectKey: ObjectStatus] {
        var statuses: [ObjectKey: ObjectStatus] = [:]
        let present = Set(inputs.map(\.key)).union(missing)
        for (key, status) in earlier where key.kind == .serviceToken && !present.contains(key) {
            guard await remove(key, uid: nil, status: status) else {
                // It stays in the book, so that the next pass tries again.
                statuses[key] = TokenStatus.failed(
                    "StoreUnavailable", "the token of a deleted object is not revoked yet",
                    members: TokenStatus.kept(status))
                continue
            }
        }
        let owners = Self.secretOwners(inputs)
        for input in inputs where input.key.kind == .serviceToken {
            statuses[input.key] = await reconcile(
                input, owners: owners, namespaces: namespaces, earlier: earlier[input.key], now: now)
        }
        return statuses
    }

    /// Which object has a Secret (`namespace/name`): the oldest of those that name it, then the first by name.
    package static func secretOwners(_ inputs: [CompilerInput]) -> [String: ObjectKey] {
        var owners: [String: ObjectKey] = [:]
        for input in inputs.sorted(by: { ($0.createdAt, $0.key) < ($1.createdAt, $1.key) }) {
            guard case .serviceToken(let object)? = input.object else { continue }
            let name = "\(input.key.namespace)/\(object.spec.secretName)"
            if owners[name] == nil { owners[name] = input.key }
        }
        return owners
    }

    /// Brings the token of one object to what the object says.
    ///
    /// - Parameters:
    ///   - owners: `secretOwners` of all objects.
    ///   - namespaces: what namespaces may say at this moment.
    ///   - earlier: the object's status as it was kept.
    package func reconcile(
        _ input: CompilerInput, owners: [String: ObjectKey], namespaces: NamespaceRules, earlier: JSONValue?,
        now: Timestamp
    ) async -> ObjectStatus {
        guard case .serviceToken(let object)? = input.object else {
            return TokenStatus.invalid(input.problems, members: TokenStatus.kept(earlier))
        }
        let grant: ServiceTokenGrant
        do throws(NamespaceRules.Violation) {
            grant = try self.grant(object.spec, namespace: input.key.namespace, namespaces: namespaces)
        } catch {
            await withdraw(object, earlier: earlier)
            return TokenStatus.failed("NotAllowedInNamespace", error.message, members: TokenStatus.kept(earlier))
        }
        // A token that is to be revoked is, whatever became of its Secret.
        let isRevoked = object.spec.revoked || earlier?["revokedAt"]?.stringValue != nil
        var place = TokenSecretState.absent
        if !isRevoked {
            if let owner = owners["\(input.key.namespace)/\(object.spec.secretName)"], owner != input.key {
                return TokenStatus.failed(
                    "SecretConflict", "Secret \(object.spec.secretName) belongs to ServiceToken \(owner.name)",
                    members: TokenStatus.kept(earlier))
            }
            do {
                place = try await texts.look(TokenSecret(object, identifier: "", expiresAt: nil))
            } catch {
                return TokenStatus.failed("SecretUnreadable", "\(error)", members: TokenStatus.kept(earlier))
            }
            if case .foreign(let conflict) = place {
                return TokenStatus.failed("SecretConflict", conflict, members: TokenStatus.kept(earlier))
            }
        }
        var status: ObjectStatus
        do throws(Refusal) {
            status = try await apply(
                grant, object: object, text: place.text, isRevoked: isRevoked, earlier: earlier, now: now)
        } catch {
            status = TokenStatus.failed(
                TokenStatus.reason(of: error), error.message, members: TokenStatus.kept(earlier))
        }
        if !input.problems.isEmpty {
            status.conditions.set(
                "Invalid", .true, "InvalidSpec",
                "the last good state is in force: \(input.problems.joined(separator: "; "))")
        }
        return status
    }

    private func grant(
        _ spec: ServiceTokenSpec, namespace: String, namespaces: NamespaceRules
    ) throws(NamespaceRules.Violation) -> ServiceTokenGrant {
        try namespaces.checkPlatform(spec.platform, namespace: namespace)
        try namespaces.checkGrant(roles: spec.roles, scopes: spec.scopes, namespace: namespace)
        return ServiceTokenGrant(
            description: spec.description, scopes: ASCII.sortedByBytes(Set(spec.scopes)),
            roles: ASCII.sortedByBytes(Set(spec.roles)), workspaceIDs: ServiceTokenRules.workspaces(spec.workspaceIds),
            tenantID: try namespaces.tenant(stated: spec.tenant, namespace: namespace), platform: spec.platform,
            allowedCIDRs: ASCII.sortedByBytes(Set(spec.allowedCidrs)))
    }

    private func apply(
        _ grant: ServiceTokenGrant, object: ServiceToken, text: Redacted<String>?, isRevoked: Bool,
        earlier: JSONValue?, now: Timestamp
    ) async throws(Refusal) -> ObjectStatus {
        let spec = object.spec
        let secret = TokenSecret(object, identifier: "", expiresAt: nil)
        let wish = object.metadata.annotations["tollgate.dev/rotate"]
        var decided = decide(object, text: text, isRevoked: isRevoked, earlier: earlier, now: now)
        // Another replica may have led a moment ago: what is made anew is decided on what the store has.
        if registry.isShared, ![.update, .revoke].contains(decided.step) {
            try await bringUp(text, earlier: earlier)
            decided = decide(object, text: text, isRevoked: isRevoked, earlier: earlier, now: now)
        }
        if let identifier = earlier?["identifier"]?.stringValue, registry.table.entry(identifier) == nil, !isRevoked {
            try await recreate(identifier, grant: grant, text: text, earlier: earlier)
            decided = decide(object, text: text, isRevoked: isRevoked, earlier: earlier, now: now)
        }
        let family = earlier?["family"]?.stringValue
        let step = decided.step
        let answer: ServiceTokenAnswer
        switch (step, decided.entry) {
        case (.revoke, _): return try await revoked(object, family: family, earlier: earlier, now: now)
        case (.expired, _): return TokenStatus.expired(members: TokenStatus.kept(earlier))
        case (.update, let entry?):
            answer = try await update(entry.record, grant: grant, spec: spec, key: object.key)
        case (.restore, let entry?), (.rotate, let entry?):
            try await prepare(secret)
            let action = step == .restore ? "restored" : "rotated"
            answer = try await registry.rotateForObject(
                entry.record.identifier, grant: grant, overlapSeconds: spec.rotation?.overlap.seconds ?? 300,
                expiresAt: ServiceTokenPlan.end(of: spec, issuedAt: now))
            await records.record("service_token.rotate", answer, object: object.key, note: action)
            acted(object.key, step == .restore ? .restored : .rotated)
        default:
            try await prepare(secret)
            try await revokeLeftover(text, object: object.key)
            answer = try await registry.mintForObject(
                grant, family: family, expiresAt: ServiceTokenPlan.end(of: spec, issuedAt: now))
            await records.record("service_token.create", answer, object: object.key)
            acted(object.key, .minted)
        }
        return await finished(answer, object: object, earlier: earlier, wish: wish, now: now)
    }

    /// The one next thing to do, and the token that the status names.
    private func decide(
        _ object: ServiceToken, text: Redacted<String>?, isRevoked: Bool, earlier: JSONValue?, now: Timestamp
    ) -> (step: ServiceTokenPlan.Step, entry: ServiceTokenTable.Entry?) {
        let entry = earlier?["identifier"]?.stringValue.flatMap { registry.table.entry($0) }
        let wish = object.metadata.annotations["tollgate.dev/rotate"]
        let asked = entry != nil && wish != nil && wish != earlier?["rotateAnnotation"]?.stringValue
        let present = entry.map { entry in
            ServiceTokenPlan.Present(
                status: entry.record.status(at: now), issuedAt: entry.record.issuedAt,
                textIsThere: text.map { SecretDigest(of: $0.revealed).matches(entry.record.secretDigest) } ?? false)
        }
        let step = ServiceTokenPlan.next(
            spec: object.spec, isRevoked: isRevoked, present: present, askedToRotate: asked, now: now)
        return (step, entry)
    }

    /// Reads from the store what the object's token is, and the one whose text its Secret holds.
    private func bringUp(_ text: Redacted<String>?, earlier: JSONValue?) async throws(Refusal) {
        var identifiers = earlier?["identifier"]?.stringValue.map { [$0] } ?? []
        if let text,
            case .wellFormed(.serviceToken, let held) = TokenText.read(text.revealed, prefixes: TokenPrefixes())
        {
            identifiers.append(held)
        }
        if !identifiers.isEmpty { try await registry.bringUp(.identifiers(identifiers)) }
        if let family = earlier?["family"]?.stringValue { try await registry.bringUp(.family(family)) }
    }

    /// What must be possible before a token is changed: the text can be written, and the act recorded.
    private func prepare(_ secret: TokenSecret) async throws(Refusal) {
        try records.check()
        do {
            try await texts.prepare(secret)
        } catch {
            throw TokenStatus.unwritable("\(error)")
        }
    }

    private func update(
        _ record: ServiceTokenRecord, grant: ServiceTokenGrant, spec: ServiceTokenSpec, key: ObjectKey
    ) async throws(Refusal) -> ServiceTokenAnswer {
        var end = ServiceTokenPlan.end(of: spec, issuedAt: record.issuedAt)
        // A length of life is counted from the pass that asked for the text, the record from when it was made.
        if spec.expiresIn != nil, let wanted = end, let present = record.expiresAt,
            abs(wanted.microseconds - present.microseconds) < Self.endTolerance
        {
            end = present
        }
        let differs = record.grant != grant || record.expiresAt != end
        if differs { try records.check() }
        let answer = try await registry.updateForObject(record.identifier, grant: grant, expiresAt: end)
        if differs { await records.record("service_token.update", answer, object: key) }
        return answer
    }

    /// The store has lost the record that status names: it is made again if the Secret still holds its text.
    private func recreate(
        _ identifier: String, grant: ServiceTokenGrant, text: Redacted<String>?, earlier: JSONValue?
    ) async throws(Refusal) {
        guard let text, let family = earlier?["family"]?.stringValue,
            let issuedAt = earlier?["issuedAt"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return }
        try records.check()
        let answer = try await registry.recreateForObject(
            text, identifier: identifier, family: family, grant: grant, issuedAt: issuedAt,
            expiresAt: earlier?["expiresAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
        if let answer { await records.record("service_token.create", answer, object: nil, note: "recreated") }
    }

    /// A text that no status knows, of a token that an object's pass made: that pass did not come to its end.
    private func revokeLeftover(_ text: Redacted<String>?, object: ObjectKey) async throws(Refusal) {
        guard let text,
            case .wellFormed(.serviceToken, let identifier) = TokenText.read(text.revealed, prefixes: TokenPrefixes()),
            let record = registry.table.entry(identifier)?.record, record.revokedAt == nil,
            record.createdBy == ServiceTokenRegistry.systemActor,
            SecretDigest(of: text.revealed).matches(record.secretDigest)
        else { return }
        try await revokeFamily(record.family, reason: "left behind by an interrupted start", object: object)
    }

    /// Writes a new text into its Secret and says how the token stands.
    private func finished(
        _ answer: ServiceTokenAnswer, object: ServiceToken, earlier: JSONValue?, wish: String?, now: Timestamp
    ) async -> ObjectStatus {
        let record = answer.record
        var conditions = Conditions()
        conditions.set("SecretWritten", .true, "Written")
        if let text = answer.secret {
            do {
                try await texts.write(
                    text, secret: TokenSecret(object, identifier: record.identifier, expiresAt: record.expiresAt))
                try await removeFormer(earlier, object: object)
                logger.notice(
                    "token minted", metadata: [LogKeys.object: "\(object.key)", "identifier": "\(record.identifier)"])
            } catch {
                // The next pass finds no text and makes a new one; this one ends with the overlap.
                conditions.set("SecretWritten", .false, "WriteFailed", "\(error)")
            }
        }
        let isOver = record.status(at: now) == .expired
        conditions.set("Expired", isOver ? .true : .false, isOver ? "Expired" : "Valid")
        conditions.set("Revoked", .false, "Valid")
        let previous = record.rotatedFrom.flatMap { registry.table.entry($0)?.record }
        return ObjectStatus(
            conditions: conditions,
            members: TokenStatus.members(record, previous: previous, spec: object.spec, wish: wish))
    }

    /// Takes the Secret away that the object named before.
    private func removeFormer(_ earlier: JSONValue?, object: ServiceToken) async throws {
        guard let name = earlier?["secretName"]?.stringValue, name != object.spec.secretName else { return }
        var former = TokenSecret(object, identifier: "", expiresAt: nil)
        former.name = name
        try await texts.remove(former)
    }

    private func revoked(
        _ object: ServiceToken, family: String?, earlier: JSONValue?, now: Timestamp
    ) async throws(Refusal) -> ObjectStatus {
        let reason = object.spec.revocationReason ?? "spec.revoked is true"
        if let family { try await revokeFamily(family, reason: reason, object: object.key) }
        var members = TokenStatus.kept(earlier)
        if members["revokedAt"]?.stringValue == nil { members["revokedAt"] = .string(now.rfc3339) }
        var status = TokenStatus.failed("Revoked", "it is revoked; there is no way back", members: members)
        status.conditions.set("Revoked", .true, "Revoked")
        do {
            try await texts.remove(TokenSecret(object, identifier: "", expiresAt: nil))
        } catch {
            status.conditions.set("SecretWritten", .false, "RemoveFailed", "\(error)")
        }
        return status
    }

    /// Revokes the token of an object that is gone and takes its Secret away.
    ///
    /// - Parameter uid: the object's own, where there is one.
    /// - Returns: whether it is done; doing it again is fine.
    package func remove(_ key: ObjectKey, uid: String?, status: JSONValue) async -> Bool {
        do {
            if let family = status["family"]?.stringValue {
                try await revokeFamily(family, reason: "the object \(key) was deleted", object: key)
            }
            if let name = status["secretName"]?.stringValue {
                try await texts.remove(
                    TokenSecret(
                        namespace: key.namespace, name: name, key: "", identifier: "", expiresAt: nil,
                        owner: uid.map { TokenSecret.Owner(name: key.name, uid: $0) }))
            }
            return true
        } catch {
            logger.error(
                "a deleted token cannot be revoked", metadata: [LogKeys.object: "\(key)", LogKeys.error: "\(error)"])
            return false
        }
    }

    /// Revokes the token of an object that says so, and touches nothing else: no API server is asked, so nothing is waited for.
    package func revokeAtOnce(_ key: ObjectKey, status: JSONValue, reason: String) async throws(Refusal) {
        guard let family = status["family"]?.stringValue else { return }
        try await revokeFamily(family, reason: reason, object: key)
    }

    /// What an object may not have any more is refused from now on, and its text taken away: no store that was lost brings it back.
    private func withdraw(_ object: ServiceToken, earlier: JSONValue?) async {
        guard let family = earlier?["family"]?.stringValue else { return }
        do {
            try await revokeFamily(
                family, reason: "the object may not have this token in its namespace", object: object.key)
            try await texts.remove(TokenSecret(object, identifier: "", expiresAt: nil))
        } catch {
            logger.error("a token cannot be revoked", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// Revokes what of a chain is not revoked yet, and records it if there was anything.
    private func revokeFamily(_ family: String, reason: String, object: ObjectKey) async throws(Refusal) {
        // Where others write too, a token of the chain may be there that this replica has not heard of.
        let isOpen = registry.isShared || registry.table.family(family).contains { $0.record.revokedAt == nil }
        guard isOpen else { return }
        try records.check()
        let revoked = try await registry.revokeFamily(family, reason: reason)
        guard !revoked.isEmpty else { return }
        await records.recordRevocation(revoked, family: family, reason: reason, object: object)
        acted(object, .revoked)
    }
}
