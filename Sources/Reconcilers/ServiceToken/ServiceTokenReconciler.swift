// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials
package import Logging
internal import ResourceModel

/// Makes, renews and revokes the tokens that ServiceToken objects ask for. Every pass looks at what is there and does only what is missing.
package struct ServiceTokenReconciler: Sendable {
    private let registry: ServiceTokenRegistry
    private let texts: any TokenTextKeeping
    private let namespaces: NamespaceRules
    private let logger: Logger

    package init(
        registry: ServiceTokenRegistry, texts: any TokenTextKeeping, namespaces: NamespaceRules, logger: Logger
    ) {
        self.registry = registry
        self.texts = texts
        self.namespaces = namespaces
        self.logger = logger
    }

    /// Brings every token to what its object says, and revokes those whose object is gone.
    ///
    /// - Parameter earlier: the status of all objects as it was kept.
    func reconcile(
        _ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue], now: Timestamp
    ) async -> [ObjectKey: ObjectStatus] {
        var statuses: [ObjectKey: ObjectStatus] = [:]
        let present = Set(inputs.map(\.key))
        for (key, status) in earlier where key.kind == .serviceToken && !present.contains(key) {
            guard await remove(key, status: status) else {
                // It stays in the book, so that the next pass tries again.
                statuses[key] = Self.failed("StoreUnavailable", "the token of a deleted object is not revoked yet")
                continue
            }
        }
        for input in inputs where input.key.kind == .serviceToken {
            statuses[input.key] = await reconcile(input, earlier: earlier[input.key], now: now)
        }
        return statuses
    }

    private func reconcile(_ input: CompilerInput, earlier: JSONValue?, now: Timestamp) async -> ObjectStatus {
        guard case .serviceToken(let object)? = input.object else {
            return Self.invalid(input.problems, members: Self.kept(earlier))
        }
        let spec = object.spec
        let grant: ServiceTokenGrant
        do throws(NamespaceRules.Violation) {
            try namespaces.checkPlatform(spec.platform, namespace: input.key.namespace)
            try namespaces.checkGrant(roles: spec.roles, scopes: spec.scopes, namespace: input.key.namespace)
            grant = ServiceTokenGrant(
                description: spec.description, scopes: spec.scopes, roles: spec.roles,
                workspaceIDs: spec.workspaceIds.map { ASCII.lowercased(ASCII.trimmed($0)) },
                tenantID: try namespaces.tenant(stated: spec.tenant, namespace: input.key.namespace),
                platform: spec.platform, allowedCIDRs: spec.allowedCidrs)
        } catch {
            await withdraw(earlier)
            return Self.failed("NotAllowedInNamespace", error.message, members: Self.kept(earlier))
        }
        let problems = input.problems
        do throws(Refusal) {
            var status = try await apply(spec, grant: grant, object: object, earlier: earlier, now: now)
            if !problems.isEmpty {
                status.conditions.set("Invalid", .true, "InvalidSpec", problems.joined(separator: "; "))
            }
            return status
        } catch {
            return Self.failed("StoreUnavailable", error.message, members: Self.kept(earlier))
        }
    }

    private func apply(
        _ spec: ServiceTokenSpec, grant: ServiceTokenGrant, object: ServiceToken, earlier: JSONValue?, now: Timestamp
    ) async throws(Refusal) -> ObjectStatus {
        let family = earlier?["family"]?.stringValue
        let entry = earlier?["identifier"]?.stringValue.flatMap { registry.table.entry($0) }
        let wish = object.metadata.annotations["tollgate.dev/rotate"]
        let asked = entry != nil && wish != nil && wish != earlier?["rotateAnnotation"]?.stringValue
        let present = entry.map { entry in
            ServiceTokenPlan.Present(
                status: entry.record.status(at: now), issuedAt: entry.record.issuedAt,
                textIsThere: holdsText(of: entry.record, spec: spec, namespace: object.metadata.namespace))
        }
        let end = spec.expiresAt?.timestamp ?? spec.expiresIn.map { now.adding(seconds: $0.seconds) }
        let overlap = spec.rotation?.overlap.seconds ?? 300
        let answer: ServiceTokenAnswer
        switch ServiceTokenPlan.next(spec: spec, present: present, askedToRotate: asked, now: now) {
        case .revoke:
            return try await revoked(spec, family: family, object: object, earlier: earlier)
        case .expired:
            var status = Self.failed(
                "Expired", "its end is over and spec.rotation is not set", members: Self.kept(earlier))
            status.conditions.set("Expired", .true, "Expired")
            return status
        case .mint: answer = try await registry.mintForObject(grant, family: family, expiresAt: end)
        case .restore, .rotate:
            guard let entry else { throw Refusal(.tokenNotFound) }
            answer = try await registry.rotateForObject(
                entry.record.identifier, grant: grant, overlapSeconds: overlap, expiresAt: end)
        case .update:
            guard let entry else { throw Refusal(.tokenNotFound) }
            let kept =
                spec.expiresAt?.timestamp ?? spec.expiresIn.map { entry.record.issuedAt.adding(seconds: $0.seconds) }
            answer = try await registry.updateForObject(entry.record.identifier, grant: grant, expiresAt: kept)
        }
        return finished(answer, spec: spec, object: object, previous: entry?.record, wish: wish)
    }

    /// Writes a new text into its Secret and says how the token stands.
    private func finished(
        _ answer: ServiceTokenAnswer, spec: ServiceTokenSpec, object: ServiceToken, previous: ServiceTokenRecord?,
        wish: String?
    ) -> ObjectStatus {
        let record = answer.record
        var conditions = Conditions()
        if let secret = answer.secret {
            do {
                try texts.write(secret, secret: place(record, spec: spec, namespace: object.metadata.namespace))
                conditions.set("SecretWritten", .true, "Written")
                logger.notice(
                    "token minted", metadata: [LogKeys.object: "\(object.key)", "identifier": "\(record.identifier)"])
            } catch {
                // The next pass finds no text and makes a new one; this one ends with the overlap.
                conditions.set("SecretWritten", .false, "WriteFailed", "\(error)")
            }
        } else {
            conditions.set("SecretWritten", .true, "Written")
        }
        conditions.set("Expired", .false, "Valid")
        conditions.set("Revoked", .false, "Valid")
        let next = spec.rotation.map { record.issuedAt.adding(seconds: $0.every.seconds) }
        let rotated = previous.flatMap { $0.identifier == record.identifier ? nil : $0 }
        return ObjectStatus(
            conditions: conditions,
            members: [
                "identifier": .string(record.identifier), "family": .string(record.family),
                "issuedAt": .string(record.issuedAt.rfc3339), "expiresAt": .optional(record.expiresAt?.rfc3339),
                "nextRotationAt": .optional(next?.rfc3339),
                "previousIdentifier": .optional(rotated?.identifier ?? record.rotatedFrom),
                "secretName": .string(spec.secretName), "secretKey": .string(spec.secretKey),
                "rotateAnnotation": .optional(wish),
            ])
    }

    private func revoked(
        _ spec: ServiceTokenSpec, family: String?, object: ServiceToken, earlier: JSONValue?
    ) async throws(Refusal) -> ObjectStatus {
        if let family {
            try await registry.revokeFamily(family, reason: spec.revocationReason ?? "spec.revoked is true")
        }
        var status = Self.failed("Revoked", "spec.revoked is true", members: Self.kept(earlier))
        status.conditions.set("Revoked", .true, "Revoked")
        do {
            try texts.remove(
                TokenSecret(
                    namespace: object.metadata.namespace, name: spec.secretName, key: spec.secretKey, identifier: "",
                    expiresAt: nil))
        } catch {
            status.conditions.set("SecretWritten", .false, "RemoveFailed", "\(error)")
        }
        return status
    }

    /// Revokes the token of an object that is gone and takes its Secret away.
    ///
    /// - Returns: whether it is done.
    private func remove(_ key: ObjectKey, status: JSONValue) async -> Bool {
        do {
            if let family = status["family"]?.stringValue {
                try await registry.revokeFamily(family, reason: "the object \(key) was deleted")
            }
            if let name = status["secretName"]?.stringValue {
                try texts.remove(
                    TokenSecret(
                        namespace: key.namespace, name: name, key: status["secretKey"]?.stringValue ?? "token",
                        identifier: "", expiresAt: nil))
            }
            return true
        } catch {
            logger.error(
                "a deleted token cannot be revoked", metadata: [LogKeys.object: "\(key)", LogKeys.error: "\(error)"])
            return false
        }
    }

    /// What an object may not have any more is refused from now on.
    private func withdraw(_ earlier: JSONValue?) async {
        guard let family = earlier?["family"]?.stringValue else { return }
        do {
            try await registry.revokeFamily(family, reason: "the object may not have this token in its namespace")
        } catch {
            logger.error("a token cannot be revoked", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func holdsText(of record: ServiceTokenRecord, spec: ServiceTokenSpec, namespace: String) -> Bool {
        do {
            guard let text = try texts.read(place(record, spec: spec, namespace: namespace)) else { return false }
            return SecretDigest(of: text.revealed).matches(record.secretDigest)
        } catch {
            logger.error("a token's Secret cannot be read", metadata: [LogKeys.error: "\(error)"])
            // An unreadable file is not a lost one: a new text each pass would help nobody.
            return true
        }
    }

    private func place(_ record: ServiceTokenRecord, spec: ServiceTokenSpec, namespace: String) -> TokenSecret {
        TokenSecret(
            namespace: namespace, name: spec.secretName, key: spec.secretKey, identifier: record.identifier,
            expiresAt: record.expiresAt)
    }

    private static func invalid(_ problems: [String], members: JSONObject) -> ObjectStatus {
        var conditions = Conditions()
        conditions.set("Invalid", .true, "InvalidSpec", problems.joined(separator: "; "))
        return ObjectStatus(conditions: conditions, members: members)
    }

    private static func failed(_ reason: String, _ message: String, members: JSONObject = [:]) -> ObjectStatus {
        var conditions = Conditions()
        conditions.set("Ready", .false, reason, message)
        return ObjectStatus(conditions: conditions, members: members)
    }

    /// What status said of the token, without what is worked out anew.
    private static func kept(_ earlier: JSONValue?) -> JSONObject {
        var members = earlier?.objectValue ?? [:]
        members["conditions"] = nil
        members["observedGeneration"] = nil
        return members
    }
}
