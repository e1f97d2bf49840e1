// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Glibc
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Leaders that are killed in the middle of an action: the next one neither repeats nor forgets it.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct InterruptedActionTests {}
}

extension RealCluster.InterruptedActionTests {
    private struct World {
        let set: ReplicaSet
        let plane: RealCluster.Plane
        let namespace: String
        let gate: AdmissionGate
    }

    private static func with(_ name: String, _ body: (World) async throws -> Void) async throws {
        let plane = try RealCluster.plane()
        let own = try await plane.makeNamespace(name)
        let path = try plane.write(AlertCalls.workload("api"), to: "\(own).yaml")
        _ = try await plane.plane.kubectlOutput(["-n", own, "apply", "-f", path])
        let rules = try plane.write(AlertCalls.rules(own, verifyWithin: "3600s"), to: "\(own)-rules.yaml")
        try await AdmissionGate.with(plane, namespace: own) { gate in
            try await ReplicaSet.with(
                2, at: .init(plane: plane, own: own, watched: own), settings: AlertCalls.settings(rules: rules)
            ) { set in try await body(World(set: set, plane: plane, namespace: own, gate: gate)) }
        }
    }

    /// Reports the alert to the replica that does not lead, as a Service does, until somebody decides.
    private static func result(_ daemon: ClusterDaemon) async throws -> JSONValue {
        try await Eventually.value("a decision") {
            let answer = try await AlertCalls.send("api", to: daemon)
            return answer.status == 200 ? AlertCalls.result(answer) : nil
        }
    }

    /// The entries of an action, whoever wrote them.
    private static func entries(_ action: String, _ world: World, at replica: ReplicaSet.Replica) async throws
        -> [JSONValue]
    {
        try await AlertCalls.entries("action=\(action)", at: replica.daemon)
    }

    /// Has the leader act, and something happen to it while the API server holds the action.
    ///
    /// - Returns: the one that led, the one that has to go on, and what the caller was told.
    private static func interrupt(
        _ world: World, isDone: Bool, _ signal: Int32
    ) async throws -> (former: ReplicaSet.Replica, next: ReplicaSet.Replica, answer: PlainHTTP.Answer) {
        let former = try await world.set.waitForLeader()
        let next = try #require(world.set.replicas.first { $0.name != former.name })
        let before = world.gate.visits
        world.gate.arm { [set = world.set] in
            set.signal(former, signal)
            return isDone
        }
        let answer = try await Eventually.value("the action to be sent") {
            let answer = try await AlertCalls.send("api", to: next.daemon)
            return world.gate.visits > before ? answer : nil
        }
        #expect(world.gate.visits == before + 1)
        return (former, next, answer)
    }

    @Test func whatWasSentAndNotDoneIsToldAndNotRepeated() async throws {
        try await Self.with("lost") { world in
            let (former, next, answer) = try await Self.interrupt(world, isDone: false, SIGKILL)
            // Alertmanager repeats what was answered so.
            #expect(answer.status == 503, "\(answer.text)")
            #expect(try answer.json()["code"] == "k8s.no_leader")
            try await world.set.kill(former)
            #expect(try await world.set.waitForLeader(otherThan: former).name == next.name)

            // The next leader ends it at once, not when the next alert comes.
            let failed = try await Eventually.value("the outcome") {
                let failed = try await Self.entries("healing.action_fail", world, at: next)
                return failed.isEmpty ? nil : failed
            }
            #expect(failed.count == 1 && failed.first?["outcome"] == "failure")
            let event = failed.first?["metadata"]
            #expect(event?["stage"] == "timeout" && event?["err"] == "interrupted before it was sent", "\(failed)")
            #expect(event?["cmd"] == .string("rollout-restart deployment/\(world.namespace)/api"))
            #expect(event?["before"]?["generation"] == 1, "the baseline came along: \(failed)")

            // It counts as executed: the cooldown holds, and the failure is in the row.
            let skipped = try await Self.result(next.daemon)
            #expect(skipped["result"] == "cooldown_skip" && skipped["reason"] == "cooldown", "\(skipped)")
            let skips = try await Eventually.value("the skip in the trail") {
                let skips = try await Self.entries("healing.decision_skip", world, at: next)
                return skips.isEmpty ? nil : skips
            }
            let left = try #require(skips.last?["metadata"]?["remaining_seconds"]?.intValue, "\(skips)")
            #expect((1...600).contains(left))
            #expect(world.gate.visits == 1, "it was sent once")
            #expect(try await AlertCalls.mark("api", in: world.namespace, world.plane) == "")
            #expect(try await AlertCalls.generation("api", in: world.namespace, world.plane) == "1")
            #expect(try await next.daemon.metrics().contains("autoheal_running_actions 0\n"))

            // What the killed one wrote down before it sent is there when it is back.
            try await world.set.start(former)
            let intents = try await Eventually.value("the intent") {
                let intents = try await Self.entries("autoheal.rollout-restart", world, at: next)
                return intents.isEmpty ? nil : intents
            }
            #expect(intents.map { $0["metadata"]?["phase"] } == ["intent"], "\(intents)")
            #expect(try await Self.entries("healing.action_fail", world, at: next).count == 1)
            #expect(try await Self.entries("healing.action_ok", world, at: next).isEmpty)
        }
    }

    @Test func whatWasDoneAndNotToldIsVerifiedAndNotRepeated() async throws {
        try await Self.with("done") { world in
            // It stands still before it can see the answer.
            let (former, next, answer) = try await Self.interrupt(world, isDone: true, SIGSTOP)
            #expect(answer.status == 503, "\(answer.text)")
            let mark = try await Eventually.value("the restart") {
                let mark = try await AlertCalls.mark("api", in: world.namespace, world.plane)
                return mark.isEmpty ? nil : mark
            }
            try await world.set.kill(former)
            #expect(try await world.set.waitForLeader(otherThan: former).name == next.name)

            let done = try await Eventually.value("the outcome") {
                let done = try await Self.entries("healing.action_ok", world, at: next)
                return done.isEmpty ? nil : done
            }
            #expect(done.count == 1 && done.first?["metadata"]?["verified"] == true, "\(done)")
            #expect(done.first?["metadata"]?["before"]?["generation"] == 1, "\(done)")
            #expect(done.first?["metadata"]?["after"]?["generation"] == 2, "\(done)")
            #expect(try await Self.entries("healing.action_fail", world, at: next).isEmpty)

            let skipped = try await Self.result(next.daemon)
            #expect(skipped["result"] == "cooldown_skip", "\(skipped)")
            #expect(try await AlertCalls.mark("api", in: world.namespace, world.plane) == mark)
            #expect(world.gate.visits == 1, "it was sent once")

            // The former leader comes back as a follower and changes nothing of it.
            try await world.set.start(former)
            let again = try await Self.result(former.daemon)
            #expect(again["result"] == "cooldown_skip", "\(again)")
            #expect(try await Self.entries("healing.action_ok", world, at: next).count == 1)
            let intents = try await Eventually.value("the intent") {
                let intents = try await Self.entries("autoheal.rollout-restart", world, at: next)
                return intents.isEmpty ? nil : intents
            }
            #expect(intents.map { $0["metadata"]?["phase"] } == ["intent"], "\(intents)")
        }
    }
}
