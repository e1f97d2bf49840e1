// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import Logging
internal import ResourceModel

/// Carries out what a pass decided about the own pods.
struct PodHealer: Sendable {
    /// What became of the pods that were acted on, and what is remembered from here on.
    struct Acted: Sendable {
        var results: [String: String] = [:]
        var memory: KeptMemory
        /// The first thing that could not be done.
        var fault: Refusal?
    }

    let api: any KubernetesAPI
    let evictor: PodEvictor
    let keeper: DeploymentKeeper
    let journal: SelfJournal
    let events: EventRecorder
    let objects: OwnObjects

    /// Acts as planned.
    ///
    /// - Parameters:
    ///   - before: the memory without what is about to be done.
    ///   - after: the memory with it; it is kept before anything is done, so that a crash between lifts no limit.
    func carryOut(
        _ plan: HealthPlan, pods: [OwnPod], verdicts: [String: PodVerdict], before: KeptMemory,
        after: HealingMemory, at now: Timestamp
    ) async -> Acted {
        var acted = Acted(memory: before)
        for pod in pods where plan.deletes.contains(pod.name) {
            let isForced = verdicts[pod.name]?.action == .forceDelete
            do throws(Refusal) {
                acted.results[pod.name] = try await delete(pod, verdicts[pod.name], byForce: isForced)
            } catch {
                acted.results[pod.name] = "failed"
                acted.fault = acted.fault ?? error
            }
        }
        do throws(Refusal) {
            switch plan.action {
            case .evict:
                guard let pod = pods.first(where: { $0.name == plan.pod }) else { break }
                let (result, memory) = try await evict(pod, verdicts[pod.name], before: before, after: after)
                acted.results[pod.name] = result
                acted.memory = memory
            case .rollingRestart: acted.memory = try await restart(before: before, after: after, at: now)
            case .none, .wait, .suspended:
                // What changes by time alone is not worth a write; what will be needed by another leader is.
                acted.memory = try await keep(before: before, after: after)
            }
        } catch {
            if let pod = plan.pod { acted.results[pod] = "failed" }
            acted.fault = acted.fault ?? error
            // Nothing was done, or the memory of it is kept.
            acted.memory = before
        }
        return acted
    }

    private func keep(before: KeptMemory, after: HealingMemory) async throws(Refusal) -> KeptMemory {
        var same = after
        same.evictions = before.memory.evictions
        guard same != before.memory else { return before }
        return try await save(after, over: before)
    }

    private func save(
        _ memory: HealingMemory, over known: KeptMemory, restartedAt: String? = nil
    ) async throws(Refusal) -> KeptMemory {
        do throws(KubernetesError) {
            try await keeper.save(memory, expecting: known.text, restartedAt: restartedAt)
            return .written(memory)
        } catch {
            throw DeploymentKeeper.refusal(error)
        }
    }

    private func evict(
        _ pod: OwnPod, _ verdict: PodVerdict?, before: KeptMemory, after: HealingMemory
    ) async throws(Refusal) -> (result: String, memory: KeptMemory) {
        let act = SelfAct(
            .evict, on: name(pod), before: state(pod, verdict), reason: verdict?.reason.rawValue ?? "")
        return try await journal.act(act) { () async throws(Refusal) in
            let kept = try await save(after, over: before)
            let outcome: PodEvictor.Outcome
            do throws(KubernetesError) {
                outcome = try await evictor.evict(pod.name, in: objects.info.namespace, uid: pod.uid)
            } catch {
                throw ClusterFault.refusal(error, verb: "create", resource: "pods/eviction")
            }
            switch outcome {
            case .evicted:
                tell(.normal, "PodEvicted", "evicted Pod \(pod.name): \(verdict?.reason.rawValue ?? "")")
                return (("evicted", kept), .ok, "evicted")
            case .gone: return (("gone", kept), .gone, "it has gone already")
            case .blocked(let words):
                tell(.warning, "EvictionBlocked", "Pod \(pod.name) may not be evicted: \(words)")
                return (
                    ("blocked", await takeBack(to: before.memory, from: kept)), .blocked,
                    "a PodDisruptionBudget does not allow it"
                )
            }
        }
    }

    /// Nothing was evicted, so nothing is used up.
    private func takeBack(to memory: HealingMemory, from kept: KeptMemory) async -> KeptMemory {
        do throws(Refusal) {
            return try await save(memory, over: kept)
        } catch {
            // The next pass finds that the annotation is not as remembered and writes it.
            return KeptMemory(memory: memory, text: kept.text)
        }
    }

    private func restart(
        before: KeptMemory, after: HealingMemory, at now: Timestamp
    ) async throws(Refusal) -> KeptMemory {
        guard let reference = objects.info.deploymentReference else { throw Refusal(.k8sNoDeployment) }
        let act = SelfAct(
            .rollingRestart, on: reference.auditName, before: .optional(objects.deployment?.restartedAt),
            after: .string(now.rfc3339), reason: "most pods are unhealthy")
        return try await journal.act(act) { () async throws(Refusal) in
            let kept = try await save(after, over: before, restartedAt: now.rfc3339)
            tell(.warning, "RollingRestart", "most pods are unhealthy: all of them are replaced, one after another")
            return (kept, .ok, "restart \(after.restarts) without a good time between")
        }
    }

    private func delete(_ pod: OwnPod, _ verdict: PodVerdict?, byForce: Bool) async throws(Refusal) -> String {
        let act = SelfAct(
            .delete, on: name(pod), before: state(pod, verdict), reason: verdict?.reason.rawValue ?? "")
        return try await journal.act(act) { () async throws(Refusal) in
            do throws(KubernetesError) {
                try await api.delete(
                    APIObjectReference(.pods, namespace: objects.info.namespace, name: pod.name),
                    DeleteConditions(uid: pod.uid, gracePeriodSeconds: byForce ? 0 : nil))
                return ("deleted", .ok, "deleted")
            } catch {
                if error.code == .notFound || error.code == .conflict { return ("gone", .gone, "it has gone already") }
                throw ClusterFault.refusal(error, verb: "delete", resource: "pods")
            }
        }
    }

    /// An Event on the own Deployment.
    func tell(_ type: EventRecorder.Kind, _ reason: String, _ note: String) {
        guard let deployment = objects.deployment else { return }
        events.record(
            on: InvolvedObject(
                resource: .deployments, namespace: objects.info.namespace, name: deployment.name, uid: deployment.uid,
                resourceVersion: deployment.resourceVersion), type: type, reason: reason, action: "Heal", note: note)
    }

    private func name(_ pod: OwnPod) -> String { "Pod/\(objects.info.namespace)/\(pod.name)" }

    private func state(_ pod: OwnPod, _ verdict: PodVerdict?) -> JSONValue {
        [
            "uid": .string(pod.uid), "phase": .string(pod.phase), "restarts": .int(Int64(pod.restarts)),
            "reason": .optional(verdict?.reason.rawValue),
        ]
    }
}
