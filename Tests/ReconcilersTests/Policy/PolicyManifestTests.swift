// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Foundation
internal import Reconcilers
internal import RuntimeState
internal import TestSupport
internal import Testing

/// The ConfigMap of the policy data among the other objects.
@Suite struct PolicyManifestTests {
    private static func map(_ roles: String) -> String {
        let text = roles.replacing("'", with: "''")
        return """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: tollgate-policy}
            data: {data.json: '\(text)'}
            """
    }

    @Test func aPassPutsTheConfigMapInForceAndSaysSoOnIt() async throws {
        let world = try await ControllerWorld(withPolicyData: true)
        let keeper = try #require(world.policyKeeper)
        await world.controller.reconcile()
        #expect(keeper.state.origin.kind == .builtIn)
        #expect(world.view("tollgate-policy") == nil)
        try world.write(Self.map(try PolicyWorld.roles(with: "night")), to: "policy.yaml")
        await world.controller.reconcile()
        #expect(keeper.state.origin.kind == .configMap)
        let policy = try #require(world.snapshots.current()?.policy)
        #expect(policy === keeper.state.policy && policy.roles.isKnown("night"))
        #expect(world.shown("PolicyLoaded", of: "tollgate-policy") == "True Loaded")
        #expect(world.shown("Ready", of: "tollgate-policy") == "True InForce")
        #expect(world.status(of: "tollgate-policy")?["revision"] == .string(policy.revision))
        #expect(world.view("tollgate-policy")?["kind"] == "ConfigMap")
    }

    @Test func badDataIsToldOnTheConfigMapWithEveryProblem() async throws {
        let world = try await ControllerWorld(withPolicyData: true)
        let keeper = try #require(world.policyKeeper)
        try world.write(Self.map(try PolicyWorld.roles(with: "night")), to: "policy.yaml")
        await world.controller.reconcile()
        let good = keeper.state.revision
        try world.write(Self.map(#"{"roles": {"editor": {}, "X": {"inherits": "editor"}}}"#), to: "policy.yaml")
        await world.controller.reconcile()
        #expect(world.snapshots.current()?.policy.revision == good)
        #expect(world.shown("PolicyLoaded", of: "tollgate-policy") == "False InvalidPolicy")
        #expect(world.shown("Ready", of: "tollgate-policy") == "False InvalidPolicy")
        #expect(
            world.condition("PolicyLoaded", of: "tollgate-policy")?["message"]
                == "data.json: role X: bad_name; data.json: role editor: empty")
        // Somebody mends it, and somebody takes it away.
        try world.write(Self.map(BuiltInPolicy.rolesJSON), to: "policy.yaml")
        await world.controller.reconcile()
        #expect(world.shown("PolicyLoaded", of: "tollgate-policy") == "True Loaded")
        try FileManager.default.removeItem(atPath: world.folder.path("manifests/policy.yaml"))
        await world.controller.reconcile()
        #expect(keeper.state.origin.kind == .builtIn && world.view("tollgate-policy") == nil)
    }

    @Test func aConfigMapBehindADirectoryIsNotUsed() async throws {
        let directory = FakePolicySource()
        let world = try await ControllerWorld(withPolicyData: true, before: [directory])
        try world.write(Self.map("{"), to: "policy.yaml")
        await world.controller.reconcile()
        #expect(world.policyKeeper?.state.origin.kind == .files)
        #expect(world.shown("PolicyLoaded", of: "tollgate-policy") == "Unknown NotUsed")
        #expect(
            world.condition("PolicyLoaded", of: "tollgate-policy")?["message"]
                == "TOLLGATE_POLICY_DIR is set: the policy data comes from /policy")
    }
}
