// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Metrics
internal import Reconcilers
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Policy data and shares come and go beside the objects.
@Suite struct SnapshotReplaceTests {
    private let store = SnapshotStore(metricsFactory: NOOPMetricsHandler.instance)
    private let shares = ShareTable([
        .init(tenant: "acme", type: "agent", id: "m1", project: "apollo"): [
            AcceptedShare(ownerProject: "zeus", permissions: .read)
        ]
    ])

    private static func snapshot(_ generation: UInt64) throws -> RuntimeSnapshot {
        let output = try PipelineWorld.compile(StandardManifests.text, at: ManualClock().now())
        return RuntimeSnapshot(
            generation: generation, builtAt: ManualClock().now(), hosts: output.hosts,
            authConfigs: output.authConfigs, policy: try PipelineWorld.policy.get(), ownRealm: output.ownRealm,
            resources: [])
    }

    private static func otherPolicy() throws -> CompiledPolicy {
        try .builtIn(
            routesDocument: ["version": 1, "rules": []], settings: PolicySettings(defaultUserRole: "viewer"))
    }

    @Test func whatIsReplacedStaysWhenObjectsAreCompiledAnew() throws {
        let first = try Self.snapshot(1)
        _ = store.publish { _ in first }
        let policy = try Self.otherPolicy()
        store.replace(shares: shares)
        store.replace(policy: policy)
        #expect(store.current()?.generation == 3)
        let second = try Self.snapshot(4)
        _ = store.publish { _ in second }
        let present = try #require(store.current())
        #expect(present.generation == 4)
        #expect(present.policy === policy)
        #expect(present.shares === shares)
        #expect(present.authConfigs.count == second.authConfigs.count)
    }

    @Test func whatComesBeforeTheFirstSnapshotIsPartOfIt() throws {
        store.replace(shares: shares)
        #expect(store.current() == nil)
        let first = try Self.snapshot(1)
        _ = store.publish { _ in first }
        #expect(store.current()?.shares === shares)
        #expect(store.current()?.generation == 1)
    }

    @Test func aReplacementDuringACompilationLosesNeitherOfBoth() throws {
        let first = try Self.snapshot(1)
        _ = store.publish { _ in first }
        let second = try Self.snapshot(2)
        let result = store.publish { _ in
            store.replace(shares: shares)
            return second
        }
        #expect(result.generation == 4)
        #expect(result.shares === shares)
        #expect(result.authConfigs.first === second.authConfigs.first)
        #expect(store.current() === result)
    }
}
