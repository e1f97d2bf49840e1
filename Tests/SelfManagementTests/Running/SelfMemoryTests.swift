// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import SelfManagement
internal import TestSupport
internal import Testing

/// What is remembered on the Deployment, and what becomes of it when others write there too.
@Suite(.timeLimit(.minutes(10))) struct SelfMemoryTests {
    private let template = APIObjectReference(.configMaps, namespace: "acme", name: "tollgate-template")
    private let own = SelfSettings(mode: .own, bounds: .init(hasSharedStore: true))

    private func memory(evictions: Int) -> String {
        var memory = HealingMemory()
        memory.evictions = Array(repeating: 0, count: evictions).indices.map {
            SelfWorld.now.adding(seconds: Int64(-$0))
        }
        return memory.text
    }

    @Test func evictionsOfAnotherLeaderCountThoughTheyCameLate() async throws {
        try await SelfWorld.with { world in
            #expect(try await world.manager.health(dryRun: false).evictionsLeft == 3)
            try await world.annotate(HealingMemory.annotation, memory(evictions: 3))
            try await world.makeSick("p1")
            let report = try await world.manager.health(dryRun: false)
            #expect(report.plan.action == .suspended && report.evictionsLeft == 0)
            #expect(world.memory == memory(evictions: 3))
            // Whoever takes the memory away, or writes what cannot be read, lifts no limit.
            for text in ["", "{", #"{"evictions": [], "restarts": 0}"#] {
                try await world.annotate(HealingMemory.annotation, text)
                #expect(try await world.manager.health(dryRun: false).plan.action == .suspended, "\(text)")
            }
        }
    }

    @Test func whatABudgetBlocksUsesNothingUpThoughThatCannotBeWritten() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            world.server.setDisruptionBudget("tollgate")
            // The first write is what is about to be done, the second takes it back.
            world.server.faults.add(.forbid, on: FaultTarget(.patch, .deployments), times: 1, skipping: 1)
            let report = try await world.manager.health(dryRun: false)
            #expect(report.unhealthy.map(\.result) == ["blocked"] && report.evictionsLeft == 3 && report.fault == nil)
            #expect(world.memory?.contains("2026-") == true)
            let next = try await world.manager.pass().get()
            #expect(next.health?.evictionsLeft == 3 && next.health?.unhealthy.map(\.result) == ["blocked"])
            #expect(world.memory?.contains("2026-") != true)
        }
    }

    @Test func aTemplateThatCannotBeReadClosesOnlyItself() async throws {
        try await SelfWorld.with(settings: own) { world in
            try world.server.add([
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": ["name": "tollgate-template", "namespace": "acme"],
                "data": ["deployment.yaml": "kind: [Deployment"],
            ])
            try await world.makeSick("p1")
            let refused = await world.manager.pass()
            guard case .failure(let refusal) = refused else {
                Issue.record("\(refused)")
                return
            }
            #expect(refusal.message.contains("deployment.yaml"), "\(refusal.message)")
            #expect(world.writes.contains("create core pods/eviction"))
            #expect(world.memory?.contains("2026-") == true)
        }
    }

    /// While a rollout runs the status changes all the time, and each change makes what was read old.
    @Test func statusesThatChangeAllTheTimeStopNoRepair() async throws {
        try await SelfWorld.with(settings: own) { world in
            // What was done is remembered on the Deployment from now on: there is something to look after.
            try await world.makeSick("p1")
            _ = try await world.manager.pass().get()
            world.server.faults.add(
                .refuse(409, reason: "Conflict"), on: FaultTarget(.patch, .deployments), times: 5)
            _ = try await world.manager.pass().get()
            world.server.faults.add(
                .refuse(409, reason: "Conflict"), on: FaultTarget(.patch, .deployments), times: 100)
            guard case .failure(let refusal) = await world.manager.pass() else {
                Issue.record("what cannot be written was not told")
                return
            }
            #expect(refusal.code == .k8sConflict && refusal.status == 409)
        }
    }

    @Test func whoeverLeadsKnowsThatItIsToStayAway() async throws {
        try await SelfWorld.with(settings: own) { world in
            _ = await world.manager.pass()
            try await world.annotate(OwnDeployment.removedAnnotation, "true")
            _ = await world.manager.pass()
            let mark = world.server.object(template)?["metadata"]?["annotations"]?[OwnDeployment.removedAnnotation]
            #expect(mark == "true")
        }
        // One that never saw the Deployment.
        try await SelfWorld.with(settings: own) { world in
            try world.server.add([
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": [
                    "name": "tollgate-template", "namespace": "acme",
                    "annotations": [.init(OwnDeployment.removedAnnotation): "true"],
                ],
            ])
            try world.server.delete(world.deployment)
            try await Eventually.holds("it to be gone") { world.manager.objects.deployment == nil }
            world.manager.beginLeading()
            _ = await world.manager.pass()
            #expect(world.server.object(world.deployment) == nil)
        }
    }
}
