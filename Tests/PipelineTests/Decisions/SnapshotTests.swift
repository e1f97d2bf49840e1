// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import Reconcilers
internal import RuntimeState
internal import Synchronization
internal import TestSupport
internal import Testing

/// A decision uses one snapshot from start to end.
@Suite struct SnapshotTests {
    @Test func withoutASnapshotNothingIsDecided() async throws {
        let world = try PipelineWorld(manifests: nil)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "503 decision.not_ready")
        #expect(await world.outcome("GET", "nobody.example.com") == "503 decision.not_ready")
        #expect(world.audit.entries.queued.allSatisfy { $0.outcome == .failure })
    }

    @Test func aBatchIsDecidedFromOneSnapshotWhileAnotherIsPublished() async throws {
        let replace = Mutex<(@Sendable () -> Void)?>(nil)
        let stage = FakeStage(step: .meter, log: StageLog()) { replace.withLock { $0 }?() }
        let world = try PipelineWorld(stages: [stage])
        replace.withLock { replace in
            replace = { _ = try? world.publish(Self.manifest("other", host: "other.example.com")) }
        }
        let input = PipelineWorld.input(token: PipelineWorld.adminText)
        let decisions = await world.pipeline.decide([input, input, input])
        #expect(decisions.map(\.snapshotGeneration) == [1, 1, 1])
        #expect(decisions.map(PipelineWorld.text) == ["200 admin", "200 admin", "200 admin"])
        #expect(world.snapshots.current()?.generation == 4)
        #expect(await world.outcome(token: PipelineWorld.adminText) == "404 auth.no_config")
    }

    /// The AuthConfig, its host rule and the route must always be those of the generation that the decision names.
    @Test func aSwapIsNeverSeenHalfDone() async throws {
        let world = try PipelineWorld(manifests: nil)
        let outputs = try ["even", "odd"].map {
            try PipelineWorld.compile(
                Self.manifest($0, host: "*.\($0 == "even" ? "example" : "a.example").com"), at: world.clock.now())
        }
        let policy = try PipelineWorld.policy.get()
        let now = world.clock.now()
        @Sendable func publish() {
            _ = world.snapshots.publish { generation in
                let output = outputs[Int(generation % 2)]
                return RuntimeSnapshot(
                    generation: generation, builtAt: now, hosts: output.hosts, authConfigs: output.authConfigs,
                    policy: policy, ownRealm: output.ownRealm, resources: [])
            }
        }
        publish()
        let faults = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<1000 {
                        publish()
                        await Task.yield()
                    }
                    return []
                }
            }
            for _ in 0..<4 {
                group.addTask {
                    var faults: [String] = []
                    var last: UInt64 = 0
                    for _ in 0..<1000 {
                        let input = PipelineWorld.input(
                            "GET", "x.a.example.com", "/only", token: PipelineWorld.adminText)
                        let decision = await world.pipeline.decide(input)
                        let name = decision.snapshotGeneration % 2 == 0 ? "even" : "odd"
                        if decision.authConfig != "default/\(name)" || decision.policy?.permission != "tasks:\(name)"
                            || decision.snapshotGeneration < last
                        {
                            faults.append("\(decision.snapshotGeneration) \(decision.authConfig ?? "-")")
                        }
                        last = decision.snapshotGeneration
                    }
                    return faults
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(faults.isEmpty)
        #expect(world.snapshots.current()?.generation == 2001)
    }

    private static func manifest(_ name: String, host: String) -> String {
        """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: \(name)}
        spec:
          hosts: ["\(host)"]
          policy: {builtinRoutes: false, routes: [{methods: [GET], path: /only, permission: "tasks:\(name)"}]}
        """
    }
}
