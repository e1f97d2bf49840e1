// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import ManifestFiles
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState

/// The policy data of a running server.
struct PolicyParts: Sendable {
    let keeper: PolicyKeeper
    /// The ConfigMap that may hold it.
    let source: ManifestPolicySource
    let follower: ManifestPolicyFollower
    /// The directory that is watched; nil without one.
    let folder: String?

    /// Watches the directory until it is cancelled; the manifests are watched by their own service.
    func run() async {
        guard let folder else { return }
        await FolderFollower.run(folders: [folder]) { [keeper] _ in
            await keeper.refresh()
            return [folder]
        }
    }

    /// How questions are answered: by the engine, else in this process.
    func report(on engine: OPAClient?) -> PolicyEngineReport {
        guard let engine else {
            return PolicyEngineReport(
                mode: keeper.state.policy.settings.roleCheckEnabled ? .local : .disabled, isLocal: true)
        }
        let status = engine.status
        return PolicyEngineReport(
            mode: .sidecar, isLocal: false,
            breaker: [
                "state": .string(status.breaker), "up": status.isUp.map(JSONValue.bool) ?? .null,
                "last_failure": .optional(status.lastFailure),
            ])
    }

    /// One line of `/readyz?verbose`. Bad data leaves the last good in force, so it is no reason not to be ready.
    func readiness() -> ReadinessCheck {
        let state = keeper.state
        let detail = "revision \(state.revision) from \(state.origin.shown)"
        guard let failure = state.lastError else {
            return ReadinessCheck(name: "policy", status: .ok, detail: detail)
        }
        return ReadinessCheck(
            name: "policy", status: .degraded,
            detail: "\(detail); \(failure.origin.shown) is invalid: \(failure.message.prefix(512))")
    }

    /// Writes down what a source brought; a change through the API is recorded with its call.
    func record(in audit: any AuditRecording, logger: Logger) {
        keeper.observe { before, after in
            do {
                try await audit.record(
                    AuditDraft(
                        actor: "system", action: "policy.load", resource: after.origin.shown, outcome: .success,
                        metadata: ["before": Self.entry(before), "after": Self.entry(after)]))
            } catch {
                logger.error("new policy data was not recorded", metadata: [LogKeys.error: "\(error)"])
            }
        }
    }

    private static func entry(_ state: PolicyState) -> JSONValue {
        ["revision": .string(state.revision), "source": .string(state.origin.shown)]
    }
}

extension PolicyOrigin {
    /// The source with its place, for people.
    fileprivate var shown: String { location.isEmpty ? kind.rawValue : "\(kind.rawValue) \(location)" }
}

extension ServerAssembly {
    /// What several replicas share stands over the directory, where there is one, else over the built-in copy: a ConfigMap is shared already.
    private static func sources(
        folder: String?, configMap: ManifestPolicySource, shared: SharedPolicySource?
    ) -> [any PolicySource] {
        let files = folder.map { [FolderPolicySource(folder: $0)] } ?? []
        guard let shared else { return files + [configMap] }
        return folder == nil ? [configMap, shared] : [shared, configMap]
    }

    /// What stands below the roles that replicas share.
    static func policyBase(_ settings: TollgateSettings) -> any PolicySource {
        if let folder = settings.policy.directory { return FolderPolicySource(folder: folder) }
        return BuiltInPolicySource()
    }

    /// Reads the first policy data: of `TOLLGATE_POLICY_DIR` where it is set, else of the ConfigMap among the manifests where it exists, else
    /// the built-in copy. A setting of the process goes before an object that others may make.
    ///
    /// - Throws: `StartupProblem` with every problem of the data.
    static func policyData(
        _ settings: TollgateSettings, origin: ObjectOrigin, shared: SharedPolicySource? = nil, snapshots: SnapshotStore,
        clock: any WallClock, logger: Logger, metrics: PrometheusRegistry
    ) throws -> PolicyParts {
        let name = settings.policy.configMap
        let source = ManifestPolicySource(
            namespace: name.namespace ?? origin.ownNamespace, name: name.name, place: origin.place)
        var folder = settings.policy.directory
        if case .upstream = origin, folder != nil {
            logger.warning(
                "setting",
                metadata: [
                    LogKeys.setting: "TOLLGATE_POLICY_DIR",
                    LogKeys.reason: "a sidecar has the policy data of its operator: the directory is not used",
                ])
            folder = nil
        }
        if case .files(let directory, let kept) = origin {
            let load = directory.load()
            source.take(load)
            if folder == nil, source.read() == nil, ManifestPolicySource.isIncomplete(load),
                kept.statuses.keys.contains(source.key)
            {
                let faults = load.problems.filter { $0.severity == .error && $0.object == nil }.map(\.description)
                throw StartupProblem(
                    "\(source.key) held the policy data and may be in a file that cannot be read: "
                        + faults.joined(separator: "; "))
            }
        }
        if folder != nil, source.read() != nil {
            logger.warning(
                "setting",
                metadata: [
                    LogKeys.setting: "TOLLGATE_POLICY_DIR",
                    LogKeys.reason: "it goes before \(source.key), which is not used",
                ])
        }
        do throws(PolicyDataError) {
            let keeper = try PolicyKeeper(
                sources: Self.sources(folder: folder, configMap: source, shared: shared),
                settings: PolicySettings(
                    defaultUserRole: settings.policy.defaultUserRole,
                    defaultKeycloakTenantRole: settings.policy.defaultKeycloakTenantRole,
                    roleCheckEnabled: settings.policy.roleCheckEnabled),
                readYAML: PolicyYAML.document, snapshots: snapshots, clock: clock, logger: logger,
                metricsFactory: metrics)
            // Only readings come from another replica; a change through this one holds the keeper itself.
            shared?.observe { await keeper.refresh() }
            return PolicyParts(
                keeper: keeper, source: source, follower: ManifestPolicyFollower(source: source, keeper: keeper),
                folder: folder)
        } catch {
            let place = folder.map { "TOLLGATE_POLICY_DIR (\($0))" } ?? source.read().map { _ in "\(source.key)" }
            throw StartupProblem("\(place ?? "the built-in policy data"): \(error.message)")
        }
    }
}
