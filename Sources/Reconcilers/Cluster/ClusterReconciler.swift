// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import ControllerRuntime
package import Essentials
package import Logging
package import ResourceModel

/// The part of a cluster's control side that only the leader does: brings one object at a time to where it should be.
///
/// Level-based: it looks at what is there and does only what is missing, so doing it again is fine.
package struct ClusterReconciler: Sendable {
    private let compiler: ClusterCompiler
    private let tokens: ServiceTokenReconciler
    private let writer: ClusterWriter
    private let fence: any LeadershipFence
    private let events: EventRecorder
    private let clock: any WallClock
    private let logger: Logger

    /// - Parameters:
    ///   - tokens: keeps its texts in `texts(…)`.
    ///   - writes: the same as that of `texts(…)`.
    package init(
        compiler: ClusterCompiler, tokens: ServiceTokenReconciler, api: any KubernetesAPI,
        fence: any LeadershipFence, writes: OwnWrites, events: EventRecorder, clock: any WallClock, logger: Logger
    ) {
        self.compiler = compiler
        self.tokens = tokens
        writer = ClusterWriter(api: api, fence: fence, writes: writes)
        self.fence = fence
        self.events = events
        self.clock = clock
        self.logger = logger
    }

    /// Where a cluster's token texts are kept: in Secrets.
    package static func texts(
        api: any KubernetesAPI, fence: any LeadershipFence, caches: ClusterCaches, writes: OwnWrites
    ) -> any TokenTextKeeping {
        TokenSecretObjects(api: api, fence: fence, caches: caches, writes: writes)
    }

    /// Brings one object up to date.
    package func reconcile(_ key: ObjectKey) async -> ReconcileResult {
        guard fence.isLeading,
            let object = writer.writes.latest(compiler.parts.caches.get(key), of: key)
        else { return .done }
        do throws(KubernetesError) {
            if object.isDeleting { return try await cleanUp(object) }
            switch key.kind {
            case .serviceToken: return try await reconcileToken(object)
            case .subscription:
                return try await reconcileSubscription(object)
            case .secret:
                tellConflicts(object)
                return .done
            default: return try await writeStatus(of: object)
            }
        } catch {
            return result(of: error, object: key)
        }
    }

    /// Revokes the token of an object that is being deleted or says that it is revoked, on whichever replica has it: the rest, for which
    /// the API server has to be asked, follows in its turn.
    package func revoke(_ key: ObjectKey) async -> ReconcileResult {
        guard let object = compiler.parts.caches.get(key), let status = object.status,
            let reason = Self.revocation(object)
        else { return .done }
        do throws(Refusal) {
            try await tokens.revokeAtOnce(key, status: status, reason: reason)
            return .done
        } catch {
            return .failed("\(key): \(error.message)")
        }
    }

    /// Why the token of an object is to be revoked; nil when it is not.
    package static func revocation(_ object: ClusterObject) -> String? {
        guard object.key.kind == .serviceToken else { return nil }
        if object.isDeleting { return "the object \(object.key) was deleted" }
        guard case .serviceToken(let token)? = object.object, token.spec.revoked else { return nil }
        return token.spec.revocationReason ?? "spec.revoked is true"
    }

    /// What an object leaves behind is taken back before it goes.
    private func cleanUp(_ object: ClusterObject) async throws(KubernetesError) -> ReconcileResult {
        guard object.finalizers.contains(ClusterWriter.finalizer) else { return .done }
        if object.key.kind == .serviceToken {
            guard await tokens.remove(object.key, uid: object.uid, status: object.status ?? .null) else {
                return .failed("the token of a deleted object is not revoked yet")
            }
        }
        if object.key.kind == .subscription, let accounts = compiler.parts.accounts {
            var account: String?
            if case .subscription(let subscription)? = object.object { account = subscription.spec.tenant }
            do throws(Refusal) {
                try await accounts.withdraw(object.uid, account: account)
            } catch {
                return .failed("the account of a deleted object is not on its fallback plan yet: \(error.message)")
            }
        }
        try await writer.removeFinalizer(from: object)
        return .done
    }

    private func reconcileSubscription(_ object: ClusterObject) async throws(KubernetesError) -> ReconcileResult {
        try await writer.addFinalizer(to: object)
        let result = await compiler.parts.accounts?.reconcile(object.key) ?? .done
        // What the ledger says is in the status as soon as a pass has seen it, which names the object again.
        _ = try await writeStatus(of: writer.writes.latest(object, of: object.key) ?? object)
        return result
    }

    private func reconcileToken(_ object: ClusterObject) async throws(KubernetesError) -> ReconcileResult {
        let settled = compiler.parts.settled
        settled?.unsettle(object.key)
        try await writer.addFinalizer(to: object)
        let object = writer.writes.latest(object, of: object.key) ?? object
        let view = compiler.tokenView
        let now = clock.now()
        // Looked at before the work: what changes while it is done is not taken for known.
        let secret = cachedSecret(of: object)
        let records = settled?.records(of: object.status) ?? []
        var status = await tokens.reconcile(
            object.input, owners: view.secretOwners, namespaces: view.namespaces, earlier: object.status, now: now)
        status.sumUp()
        let document = StatusDocument.make(
            status, generation: object.generation, previous: object.status, now: now)
        let hasWritten = try await write(document, to: object)
        let due = due(status, now: now)
        let result = next(status, due: due, now: now)
        if !hasWritten, !result.isFailure, Self.isSettled(status, hasSecret: secret != nil),
            compiler.parts.caches.get(object.key) === object
        {
            settled?.settle(
                object.key,
                SettledTokens.Standing(
                    object: object, secret: secret, records: records, namespacesVersion: view.namespacesVersion,
                    dueAt: due))
        }
        return result
    }

    /// Whether a token is as it is meant to be, and everything that says so is in the caches.
    private static func isSettled(_ status: ObjectStatus, hasSecret: Bool) -> Bool {
        hasSecret ? status.conditions["Ready"]?.state == .true : status.conditions["Revoked"]?.state == .true
    }

    private func cachedSecret(of object: ClusterObject) -> ClusterObject? {
        guard case .serviceToken(let token)? = object.object else { return nil }
        return compiler.parts.caches.get(
            ObjectKey(kind: .secret, namespace: object.key.namespace, name: token.spec.secretName))
    }

    private func writeStatus(of object: ClusterObject) async throws(KubernetesError) -> ReconcileResult {
        // The pass that knows this generation asks again.
        guard let wanted = compiler.wanted[object.key], wanted.generation == object.generation else { return .done }
        _ = try await write(wanted.document(previous: object.status, now: clock.now()), to: object)
        return .done
    }

    /// - Returns: whether there was anything to write.
    private func write(_ document: JSONValue, to object: ClusterObject) async throws(KubernetesError) -> Bool {
        guard try await writer.status(document, of: object) else { return false }
        let before = StatusDocument.ready(object.status)
        guard let after = StatusDocument.ready(document), before?.state != after.state || before?.reason != after.reason
        else { return true }
        events.record(
            on: Self.involved(object), type: after.state == "False" ? .warning : .normal, reason: after.reason,
            action: "Reconcile", note: after.message.isEmpty ? "Ready is \(after.state)" : after.message)
        logger.notice(
            "object status",
            metadata: [
                LogKeys.object: "\(object.key)", "ready": "\(after.state)", LogKeys.reason: "\(after.reason)",
                LogKeys.detail: "\(after.message)",
            ])
        return true
    }

    /// Says on a Secret of tool keys which of them are not used because another key has the same id.
    private func tellConflicts(_ secret: ClusterObject) {
        guard let ids = compiler.toolKeyConflicts(of: secret.key) else { return }
        events.record(
            on: Self.involved(secret), type: .warning, reason: "ToolKeyConflict", action: "Reconcile",
            note: "not used, because each of these ids is given to two different keys: "
                + "\(ids.joined(separator: ", ")): give one of them another id")
    }

    private static func involved(_ object: ClusterObject) -> InvolvedObject {
        InvolvedObject(
            resource: .of(object.key.kind), namespace: object.key.namespace, name: object.key.name, uid: object.uid,
            resourceVersion: object.resourceVersion)
    }

    /// When a token has to be looked at again without a change.
    private func next(_ status: ObjectStatus, due: Timestamp?, now: Timestamp) -> ReconcileResult {
        if status.conditions["SecretWritten"]?.state == .false {
            return .failed(status.conditions["SecretWritten"]?.message ?? "")
        }
        if ["StoreUnavailable", "AuditUnavailable", "SecretUnwritable", "SecretUnreadable"].contains(
            status.conditions["Ready"]?.reason)
        {
            return .failed(status.conditions["Ready"]?.message ?? "")
        }
        guard let due else { return .done }
        return .requeue(after: .microseconds(due.microseconds - now.microseconds))
    }

    /// When time alone asks for something.
    private func due(_ status: ObjectStatus, now: Timestamp) -> Timestamp? {
        let times = ["nextRotationAt", "expiresAt"].compactMap {
            status.members[$0]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        }
        return times.filter { $0 > now }.min()
    }

    private func result(of error: KubernetesError, object: ObjectKey) -> ReconcileResult {
        switch error.code {
        // It is gone, or another replica does it.
        case .notFound, .cancelled: return .done
        case .invalid, .badRequest: return .terminal("\(object): \(error.message)")
        default: return .failed("\(object): \(error.message)")
        }
    }
}
