// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Healing
internal import ResourceModel
internal import SelfManagement
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct SelfManagerTests {
    private func refusal(_ body: () async throws -> Void) async -> Refusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? Refusal
        }
    }

    @Test func rememberedBeforeDoneAndRecordedOnBothSides() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            let report = try await world.manager.health(dryRun: false)
            #expect(report.plan == HealthPlan(.evict, pod: "p1") && report.unhealthy.map(\.result) == ["evicted"])
            #expect(world.writes == ["patch apps deployments", "create core pods/eviction"])
            #expect(world.entries == ["self.evict intent success", "self.evict result success"])
            #expect(world.memory?.contains("2026-02-02") == true)
            #expect(report.evictionsLeft == 2)
        }
    }

    @Test func aFollowerWritesNothing() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            world.fence.become(false)
            await world.manager.tick()
            let health = await refusal { _ = try await world.manager.health(dryRun: false) }
            #expect(health?.code == .k8sNoLeader && health?.retryAfterSeconds == 2)
            let scale = await refusal {
                _ = try await world.manager.scale(to: ScaleRequest(replicas: 2), by: "me")
            }
            #expect(scale?.code == .k8sNoLeader)
            #expect(world.writes == [] && world.entries == [])
        }
    }

    /// The Lease is lost while the memory is written: the eviction that was to follow is not sent.
    @Test func whoLosesTheLeaseInTheMiddleWritesNoMore() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            let gate = FaultGate()
            world.server.faults.add(.hold(gate), on: FaultTarget(.patch, .deployments))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // What it comes to is of no interest: nobody leads here any more.
                    _ = try? await world.manager.health(dryRun: false)
                }
                try await Eventually.holds("the write to be on its way") { gate.waiting == 1 }
                world.fence.become(false)
                gate.open()
                try await group.waitForAll()
            }
            #expect(!world.writes.contains("create core pods/eviction"))
            #expect(world.server.object(APIObjectReference(.pods, namespace: "acme", name: "p1")) != nil)
        }
    }

    @Test func whatCannotBeRecordedIsNotDone() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            try await world.makeSick("p2", phase: "Failed")
            world.audit.become(.away)
            let report = try await world.manager.health(dryRun: false)
            #expect(report.fault?.code == .auditUnavailable)
            #expect(report.unhealthy.map(\.result) == ["failed", "failed"])
            #expect(world.writes == [])
            world.audit.become(.sound)
            let next = try await world.manager.health(dryRun: false)
            #expect(next.fault == nil && Set(next.unhealthy.map(\.result)) == ["evicted", "deleted"])
        }
    }

    @Test func whatABudgetBlocksUsesNothingUp() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            world.server.setDisruptionBudget("tollgate")
            for _ in 0..<2 {
                let report = try await world.manager.health(dryRun: false)
                #expect(report.unhealthy.map(\.result) == ["blocked"] && report.evictionsLeft == 3)
            }
            #expect(world.memory?.contains("2026-") != true)
            #expect(world.entries.last == "self.evict result failure")
            world.server.setDisruptionBudget(nil)
            #expect(try await world.manager.health(dryRun: false).unhealthy.map(\.result) == ["evicted"])
        }
    }

    @Test func anotherLeaderGoesOnWhereThisOneEnded() async throws {
        try await SelfWorld.with(pods: 7) { world in
            for pod in ["p1", "p2", "p3"] {
                try await world.makeSick(pod)
                #expect(try await world.manager.health(dryRun: false).unhealthy.map(\.result) == ["evicted"])
                try await Eventually.holds("it to be gone") { !world.manager.objects.pods.contains { $0.name == pod } }
                // What a leader remembers of another time is not believed.
                world.manager.beginLeading()
            }
            try await world.makeSick("p4")
            #expect(try await world.manager.health(dryRun: false).plan.action == .suspended)
            #expect(world.manager.isSuspended)
            world.clock.advance(seconds: 600)
            #expect(try await world.manager.health(dryRun: false).plan == HealthPlan(.evict, pod: "p4"))
        }
    }

    private func evict(_ pod: String, _ world: SelfWorld) async throws {
        try await world.makeSick(pod)
        #expect(try await world.manager.health(dryRun: false).unhealthy.map(\.result) == ["evicted"])
        try await Eventually.holds("it to be gone") { !world.manager.objects.pods.contains { $0.name == pod } }
    }

    @Test func tellsPeopleOnceOfASuspension() async throws {
        let outbox = FakeHealingStore()
        try await SelfWorld.with(pods: 12, outbox: outbox) { world in
            func isSuspended() async throws -> Bool {
                try await world.manager.health(dryRun: false).plan.action == .suspended
            }
            for pod in ["p1", "p2", "p3"] {
                try await evict(pod, world)
                world.clock.advance(seconds: 60)
            }
            try await world.makeSick("p4")
            outbox.state.withLock { $0.refusesNotices = true }
            #expect(try await isSuspended() && outbox.notices.isEmpty)
            // Who could not be told is told at the next look.
            outbox.state.withLock { $0.refusesNotices = false }
            _ = try await world.manager.health(dryRun: true)
            #expect(outbox.notices.isEmpty, "only asked")
            for _ in 0..<3 { #expect(try await isSuspended()) }
            #expect(Set(outbox.notices.map(\.channel)) == [.slack, .webhook])
            let notice = try #require(outbox.notices.first)
            #expect(notice.kind == .selfSuspended && notice.event["kind"] == "self_suspended")
            #expect(notice.event["target"] == "Deployment/acme/tollgate" && notice.event["pods"] == ["p4: NotReady"])
            #expect(notice.event["reason"]?.stringValue?.contains("budget") == true)
            // Another leader knows of it, and an eviction that mends nothing does not end it.
            world.manager.beginLeading()
            #expect(try await isSuspended() && outbox.notices.count == 2)
            world.clock.advance(seconds: 420)
            try await evict("p4", world)
            try await world.makeSick("p5")
            #expect(try await isSuspended() && outbox.notices.count == 2)
            // With the whole budget back the next one is another.
            world.clock.advance(seconds: 600)
            for pod in ["p5", "p6", "p7"] { try await evict(pod, world) }
            try await world.makeSick("p8")
            #expect(try await isSuspended() && outbox.notices.count == 4)
        }
    }

    @Test func whoIsOnlyToSayWhatHeWouldDoDoesNothing() async throws {
        let settings = SelfSettings(healing: .dryRun, bounds: .init(hasSharedStore: true))
        try await SelfWorld.with(settings: settings) { world in
            try await world.makeSick("p1")
            let report = try await world.manager.health(dryRun: false)
            #expect(report.isDryRun && report.unhealthy.map(\.result) == ["dry_run"])
            #expect(world.writes == [])
        }
        try await SelfWorld.with(settings: SelfSettings(healing: .off, bounds: .init(hasSharedStore: true))) { world in
            try await world.makeSick("p1")
            #expect(try await world.manager.health(dryRun: false).unhealthy.map(\.result) == ["disabled"])
            #expect(world.writes == [])
        }
    }

    @Test func joinsAPassThatRuns() async throws {
        try await SelfWorld.with { world in
            try await world.makeSick("p1")
            let gate = FaultGate()
            world.server.faults.add(.hold(gate), on: FaultTarget(.create, .pods))
            try await withThrowingTaskGroup(of: SelfPassReport.self) { group in
                group.addTask { try await world.manager.pass().get() }
                try await Eventually.holds("the eviction to be on its way") { gate.waiting == 1 }
                for _ in 0..<4 { group.addTask { try await world.manager.pass().get() } }
                gate.open()
                var reports: Set<SelfPassReport> = []
                for try await report in group { reports.insert(report) }
                // A pass that came later finds nothing to do but to wait for the watch.
                #expect(reports.contains { $0.health?.unhealthy.map(\.result) == ["evicted"] })
            }
            #expect(world.writes.filter { $0 == "create core pods/eviction" }.count == 1)
        }
    }

    // MARK: - Scaling

    @Test func scalesForWhoeverAsked() async throws {
        try await SelfWorld.with { world in
            let outcome = try await world.manager.scale(to: ScaleRequest(replicas: 5), by: "ann")
            #expect(outcome == ScaleOutcome(before: 3, after: 5) && world.replicas == 5)
            #expect(world.audit.entries.durable.map(\.actor) == ["ann", "ann"])
            #expect(world.entries == ["self.scale intent success", "self.scale result success"])
            let again = try await world.manager.scale(to: ScaleRequest(replicas: 5), by: "ann")
            #expect(again == ScaleOutcome(before: 5, after: 5))
            #expect(world.entries.count == 2)
        }
    }

    @Test func triesThreeTimesAgainstOthers() async throws {
        try await SelfWorld.with { world in
            let target = FaultTarget(.patch, .deployments, subresource: "scale")
            world.server.faults.add(.refuse(409, reason: "Conflict"), on: target, times: 2)
            let outcome = try await world.manager.scale(to: ScaleRequest(replicas: 4), by: "me")
            #expect(outcome == ScaleOutcome(before: 3, after: 4))
            world.server.faults.add(.refuse(409, reason: "Conflict"), on: target, times: 3)
            let refused = await refusal { _ = try await world.manager.scale(to: ScaleRequest(replicas: 5), by: "me") }
            #expect(refused?.code == .k8sConflict && refused?.status == 409)
            #expect(world.replicas == 4 && world.entries.last == "self.scale result failure")
        }
    }

    @Test func saysWhatItMayNot() async throws {
        try await SelfWorld.with { world in
            world.server.faults.add(.forbid, on: FaultTarget(.patch, .deployments, subresource: "scale"))
            let refused = await refusal { _ = try await world.manager.scale(to: ScaleRequest(replicas: 4), by: "me") }
            #expect(refused?.code == .k8sForbidden && refused?.status == 503)
            #expect(refused?.details == ["verb": "patch", "resource": "deployments/scale"])
            world.server.faults.add(.forbid, on: FaultTarget(.list))
            let list = await refusal { _ = try await world.manager.scale(to: ScaleRequest(replicas: 4), by: "me") }
            #expect(list?.details == ["verb": "list", "resource": "horizontalpodautoscalers"])
            #expect(world.replicas == 3)
        }
    }

    @Test func saysThatTheServerIsAway() async throws {
        try await SelfWorld.with { world in
            await world.server.stop()
            let refused = await refusal { _ = try await world.manager.scale(to: ScaleRequest(replicas: 4), by: "me") }
            #expect(refused?.code == .k8sAPIUnavailable && refused?.status == 503)
            #expect(world.entries == [])
        }
    }

    @Test func leavesTheNumberToAnAutoscalerOfTheCluster() async throws {
        try await SelfWorld.with { world in
            func autoscaler(_ name: String, of target: String, apiVersion: String = "apps/v1") throws {
                try world.server.add([
                    "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                    "metadata": ["name": .string(name), "namespace": "acme"],
                    "spec": [
                        "scaleTargetRef": [
                            "apiVersion": .string(apiVersion), "kind": "Deployment", "name": .string(target),
                        ]
                    ],
                ])
            }
            try autoscaler("other", of: "worker")
            try autoscaler("elsewhere", of: "tollgate", apiVersion: "example.com/v1")
            #expect(try await world.manager.autoscalerName() == nil)
            try autoscaler("mine", of: "tollgate")
            let refused = await refusal { _ = try await world.manager.scale(to: ScaleRequest(replicas: 3), by: "me") }
            #expect(refused?.code == .k8sHPAControls && refused?.details == ["name": "mine"])
        }
    }

    /// A counter of requests as a replica shows it.
    private final class Requests: Sendable {
        private let count = Mutex(0)

        func add(_ more: Int) { count.withLock { $0 += more } }

        var text: String { "tollgate_http_requests_total \(count.withLock { $0 })" }
    }

    /// Half a minute with so many requests to each replica.
    private func passed(
        _ world: SelfWorld, _ requests: Requests, _ count: Int
    ) async throws -> ScaleOutcome? {
        requests.add(count)
        world.clock.advance(seconds: 30)
        let report = try await world.manager.pass().get()
        return report.scaled
    }

    @Test func followsTheLoad() async throws {
        let requests = Requests()
        let settings = SelfSettings(
            bounds: .init(hasSharedStore: true), autoscale: AutoscaleSettings(measure: .requests, target: 100))
        try await SelfWorld.with(pods: 2, settings: settings, readMetrics: { _ in requests.text }) { world in
            let nothing = try await passed(world, requests, 0)
            #expect(nothing == nil)
            // 150 a second for each of two: three are needed.
            let more = try await passed(world, requests, 4500)
            #expect(more == ScaleOutcome(before: 2, after: 3) && world.replicas == 3)
            #expect(world.audit.entries.durable.last?.actor == "system")
            // A number that a person asked for holds for ten minutes.
            try await Eventually.holds("the number to be seen") { world.manager.objects.deployment?.replicas == 3 }
            let asked = try await world.manager.scale(to: ScaleRequest(replicas: 2), by: "ann")
            #expect(asked.after == 2 && world.memory?.contains("scaled_at") == true)
            for _ in 0..<19 {
                let kept = try await passed(world, requests, 9000)
                #expect(kept == nil)
            }
            // Twenty times half a minute: now it follows again.
            var last: ScaleOutcome?
            for _ in 0..<3 where last == nil { last = try await passed(world, requests, 9000) }
            #expect(last?.before == 2)
        }
    }
}
