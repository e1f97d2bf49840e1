// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing
package import ResourceModel

/// Does healing actions through the Kubernetes API.
///
/// Baselines: `before` for people; `generation` of a restart; `wanted` of a scale; `uid`, `owner` and `ready` of a pod.
package struct ClusterExecutor: ActionExecutor {
    private let api: any KubernetesAPI
    private let autoscalers: AutoscalerLookup
    private let evictor: PodEvictor
    private let scales: ScaleCall
    private let pods: OwnedPods
    private let own: SelfInfo?

    /// Acts over that API.
    ///
    /// - Parameter own: the process itself, whose Deployment is not for rules; nil outside of a cluster.
    package init(api: any KubernetesAPI, own: SelfInfo?) {
        self.api = api
        self.own = own
        let groups = ClusterGroups(api: api)
        autoscalers = AutoscalerLookup(api: api, groups: groups)
        evictor = PodEvictor(api: api, groups: groups)
        scales = ScaleCall(api: api)
        pods = OwnedPods(api: api)
    }

    package func prepare(_ plan: PlannedAction) async throws(ActionFault) -> JSONObject {
        let object = try Self.object(plan)
        return try await Self.translated { () async throws(KubernetesError) -> Result<JSONObject, ActionFault> in
            if let refusal = try await refusal(of: object) { return .failure(refusal) }
            switch plan.action {
            case .rolloutRestart:
                let workload = try await api.get(object, subresource: nil)
                return .success(["before": WorkloadView(workload).summary])
            case .scale(let scale):
                if let name = try await autoscalers.autoscaler(of: object) {
                    return .failure(
                        ActionFault(
                            "refused: HorizontalPodAutoscaler \(name) decides on the replicas of \(plan.targetKey)"))
                }
                let present = try await scales.read(object)
                return .success([
                    "before": ["replicas": .int(Int64(present.replicas))],
                    "wanted": .int(scale.wanted(from: Int64(present.replicas))),
                ])
            case .deletePod: return .success(try await pods.baseline(of: object))
            case .cordon:
                let node = try await api.get(object, subresource: nil)
                return .success(["before": ["unschedulable": .bool(Self.isCordoned(node))]])
            case .notify, .none: return .success([:])
            }
        }
    }

    package func apply(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject {
        let object = try Self.object(plan)
        return try await Self.translated { () async throws(KubernetesError) -> Result<JSONObject, ActionFault> in
            var result = baseline
            switch plan.action {
            case .rolloutRestart:
                let workload = try await RestartMark.set(on: object, at: plan.startedAt, api: api)
                result["generation"] = workload["metadata"]?["generation"] ?? .int(0)
            case .scale(let scale):
                if let fault = try await write(scale, to: object, baseline) { return .failure(fault) }
            case .deletePod:
                switch try await evictor.evict(
                    object.name, in: object.namespace ?? "", uid: baseline["uid"]?.stringValue)
                {
                case .evicted, .gone: break
                case .blocked(let words): return .failure(ActionFault("the eviction was refused: \(words)"))
                }
            case .cordon:
                _ = try await api.patch(object, subresource: nil, .merge(["spec": ["unschedulable": true]]))
            case .notify, .none: break
            }
            return .success(result)
        }
    }

    /// Whatever the version of the object: an alert fires because pods come and go, and with each its status changes.
    ///
    /// - Returns: why it was not written.
    private func write(
        _ scale: HealingAction.Scale, to object: APIObjectReference, _ baseline: JSONObject
    ) async throws(KubernetesError) -> ActionFault? {
        guard let wanted = baseline["wanted"]?.intValue else { return ActionFault("how many are wanted is not known") }
        if case .by = scale {
            // A step counts from what was there. Where somebody else has decided meanwhile, it is not undone.
            let present = Int64(try await scales.read(object).replicas)
            guard present != wanted else { return nil }
            guard present == baseline["before"]?["replicas"]?.intValue else {
                return ActionFault("refused: somebody else asked for \(present) replicas meanwhile")
            }
        }
        _ = try await scales.write(Int(clamping: wanted), to: object, resourceVersion: nil)
        return nil
    }

    /// Tollgate's own Deployment and pods have rules of their own, which a rule for alerts must not evade.
    private func refusal(of object: APIObjectReference) async throws(KubernetesError) -> ActionFault? {
        guard let own, object.namespace == own.namespace,
            object.resource == .deployments || object.resource == .pods
        else { return nil }
        let name = try await SelfInfoFinder(api: api).complete(own).deployment
        if object.resource == .deployments {
            return object.name == name
                ? ActionFault("refused: this is Tollgate's own Deployment: use /v1/k8s") : nil
        }
        let isOwn =
            if object.name == own.podName { true } else if let name { try await pods.belongs(object, to: name) } else {
                false
            }
        return isOwn ? ActionFault("refused: this is a pod of Tollgate's own Deployment: use /v1/k8s") : nil
    }

    package func recover(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONObject? {
        // Nothing is sent before its baseline is stored.
        guard !baseline.isEmpty else { return nil }
        let object = try Self.object(plan)
        let found = try await Self.translated {
            () async throws(KubernetesError) -> Result<JSONObject, ActionFault> in
            var result = baseline
            switch plan.action {
            case .rolloutRestart:
                let workload = try await api.get(object, subresource: nil)
                let mark = workload["spec"]?["template"]?["metadata"]?["annotations"]?[RestartMark.annotation]
                // A later mark is that of another action, which went over this one.
                guard let set = mark?.stringValue.flatMap({ Timestamp(rfc3339: $0) }), set >= plan.startedAt.cutToSecond
                else { return .success([:]) }
                result["generation"] = workload["metadata"]?["generation"] ?? .int(0)
            case .scale:
                let present = try await scales.read(object)
                guard Int64(present.replicas) == baseline["wanted"]?.intValue else { return .success([:]) }
            case .deletePod:
                guard try await pods.isGoing(object, uid: baseline["uid"]?.stringValue) else { return .success([:]) }
            case .cordon:
                guard Self.isCordoned(try await api.get(object, subresource: nil)) else { return .success([:]) }
            case .notify, .none: break
            }
            return .success(result)
        }
        return found.isEmpty ? nil : found
    }

    package func check(_ plan: PlannedAction, baseline: JSONObject) async throws(ActionFault) -> JSONValue? {
        let object = try Self.object(plan)
        let found = try await Self.translated {
            () async throws(KubernetesError) -> Result<JSONValue, ActionFault> in
            switch plan.action {
            case .rolloutRestart:
                let view = WorkloadView(try await api.get(object, subresource: nil))
                return .success(view.isRolledOut(from: baseline["generation"]?.intValue ?? 0) ? view.summary : .null)
            case .scale:
                let view = WorkloadView(try await api.get(object, subresource: nil))
                let wanted = baseline["wanted"]?.intValue ?? 0
                return .success(view.isScaled(to: wanted) ? ["replicas": .int(wanted)] : .null)
            case .deletePod: return .success(try await pods.isReplaced(object, baseline: baseline) ?? .null)
            case .cordon:
                let node = try await api.get(object, subresource: nil)
                return .success(Self.isCordoned(node) ? ["unschedulable": true] : .null)
            case .notify, .none: return .success([:])
            }
        }
        return found.isNull ? JSONValue?.none : found
    }

    private static func isCordoned(_ node: JSONValue) -> Bool {
        node["spec"]?["unschedulable"]?.boolValue ?? false
    }

    private static func object(_ plan: PlannedAction) throws(ActionFault) -> APIObjectReference {
        guard let target = plan.target else { throw ActionFault("\(plan.action.type) has no target") }
        let resource: APIResource =
            switch target.kind {
            case .deployment: .deployments
            case .statefulSet: .statefulSets
            case .pod: .pods
            case .node: .nodes
            }
        return APIObjectReference(resource, namespace: target.namespace, name: target.name)
    }

    private static func translated<Value>(
        _ body: () async throws(KubernetesError) -> Result<Value, ActionFault>
    ) async throws(ActionFault) -> Value {
        let outcome: Result<Value, ActionFault>
        do throws(KubernetesError) {
            outcome = try await body()
        } catch {
            throw ActionFault("the API server: \(error)")
        }
        return try outcome.get()
    }
}
