// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Essentials
internal import HTTPService
internal import Logging
internal import ManifestFiles
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// The first policy data of a server: where it comes from, and what stops the start.
@Suite struct PolicyDataTests {
    private let folder: TemporaryDirectory
    private static let key = ObjectKey(kind: .configMap, namespace: "default", name: "tollgate-policy")

    init() throws {
        folder = try TemporaryDirectory()
        _ = try folder.makeFolder("manifests")
    }

    private func map(_ roles: String, name: String = "{name: tollgate-policy}") throws {
        try folder.write(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: \(name)\ndata: {data.json: '\(roles)'}\n",
            to: "manifests/policy.yaml")
    }

    private func parts(_ environment: [String: String] = [:], known: [ObjectKey] = []) throws -> PolicyParts {
        let settings = try TollgateSettings.load(
            SettingsSources(environment: environment.merging(["HOME": folder.path]) { first, _ in first }),
            host: HostFacts(hostName: "test", workingDirectory: folder.path))
        let registry = PrometheusRegistry()
        return try ServerAssembly.policyData(
            settings,
            origin: .files(
                ManifestDirectory(paths: [folder.path("manifests")], clock: ManualClock()),
                StatusKeeper.Kept(
                    statuses: Dictionary(uniqueKeysWithValues: known.map { ($0, JSONValue.null) }), memory: [:])),
            snapshots: SnapshotStore(metricsFactory: registry), clock: ManualClock(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), metrics: registry)
    }

    private func problem(_ environment: [String: String] = [:], known: [ObjectKey] = []) throws -> String? {
        do {
            _ = try parts(environment, known: known)
            return nil
        } catch let problem as StartupProblem {
            return problem.description
        }
    }

    private static let editor = #"{"roles": {"editor": {"permissions": ["a:b"]}}}"#

    @Test func theBuiltInCopyStandsBehindEverything() throws {
        let parts = try parts()
        #expect(parts.keeper.state.origin.kind == .builtIn)
        #expect(parts.folder == nil)
        #expect(parts.report(on: nil).mode == .local && parts.report(on: nil).isLocal)
        #expect(try self.parts(["OPA_ENABLED": "false"]).report(on: nil).mode == .disabled)
        let check = parts.readiness()
        #expect(check.name == "policy" && check.status == .ok)
        #expect(check.detail == "revision \(parts.keeper.state.revision) from built-in")
    }

    @Test func theConfigMapCountsWhereItExists() throws {
        try map(Self.editor)
        #expect(try parts().keeper.state.origin.location == "default/tollgate-policy")
        try map(Self.editor, name: "{name: rules, namespace: ops}")
        #expect(try parts().keeper.state.origin.kind == .builtIn)
        let named = try parts(["TOLLGATE_POLICY_CONFIGMAP": "ops/rules"])
        #expect(named.keeper.state.origin.location == "ops/rules")
    }

    @Test func aDirectoryGoesBeforeTheConfigMap() async throws {
        try map("{")
        try folder.write(Self.editor, to: "policy/data.json")
        try folder.write("{version: 1, rules: []}", to: "policy/routes.yaml")
        let parts = try parts(["TOLLGATE_POLICY_DIR": folder.path("policy")])
        #expect(parts.keeper.state.origin.kind == .files)
        try folder.write("{", to: "policy/data.json")
        await parts.keeper.refresh()
        let check = parts.readiness()
        #expect(check.status == .degraded)
        #expect(
            check.detail == "revision \(parts.keeper.state.revision) from files \(folder.path)/policy; "
                + "files \(folder.path)/policy is invalid: data.json: line 1: is not JSON: unexpectedEnd at byte 1")
    }

    @Test func badDataStopsTheStartWithEveryProblem() throws {
        try map(#"{"roles": {"editor": {}, "X": {"permissions": ["a:b"]}}}"#)
        #expect(
            try problem()
                == "ConfigMap/default/tollgate-policy: data.json: role X: bad_name; data.json: role editor: empty")
        #expect(
            try problem(["TOLLGATE_POLICY_DIR": "/nowhere"])
                == "TOLLGATE_POLICY_DIR (/nowhere): data.json: there is no /nowhere/data.json; "
                + "routes.yaml: there is no /nowhere/routes.yaml")
        try map(Self.editor)
        #expect(
            try problem(["DEFAULT_USER_ROLE": "nobody"])
                == "ConfigMap/default/tollgate-policy: data.json: role nobody: DEFAULT_USER_ROLE names the role, which the data "
                + "does not have; data.json: role nobody: DEFAULT_KEYCLOAK_TENANT_ROLE names the role, which the data does not have"
        )
    }

    /// The built-in copy must not come in force because a file cannot be read that held something narrower.
    @Test func aConfigMapThatWasInForceAndIsOutOfSightStopsTheStart() throws {
        try folder.write("{", to: "manifests/policy.yaml")
        #expect(try problem() == nil)
        let text = try #require(try problem(known: [Self.key]))
        #expect(
            text.hasPrefix("ConfigMap/default/tollgate-policy held the policy data and may be in a file that cannot"))
        #expect(text.contains("manifests/policy.yaml"))
    }

    @Test func reloadsAreRecorded() async throws {
        try folder.write(Self.editor, to: "policy/data.json")
        try folder.write("{version: 1, rules: []}", to: "policy/routes.yaml")
        let parts = try parts(["TOLLGATE_POLICY_DIR": folder.path("policy")])
        let audit = FakeAuditRecorder()
        parts.record(in: audit, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let before = parts.keeper.state.revision
        try folder.write(Self.editor.replacing("a:b", with: "a:c"), to: "policy/data.json")
        await parts.keeper.refresh()
        let draft = try #require(audit.entries.durable.first)
        #expect(draft.actor == "system" && draft.action == "policy.load")
        #expect(draft.metadata["before"]?["revision"] == .string(before))
        #expect(draft.metadata["after"]?["revision"] == .string(parts.keeper.state.revision))
        // A trail that is away is no reason to keep old rights in force.
        audit.become(.away)
        try folder.write(Self.editor.replacing("a:b", with: "a:d"), to: "policy/data.json")
        await parts.keeper.refresh()
        #expect(parts.keeper.state.policy.roles.permissions == ["a:d"])
    }
}
