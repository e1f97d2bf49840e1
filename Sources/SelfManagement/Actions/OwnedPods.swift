// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Pods and those beside them: whether one was replaced. Only pods are read, which the rights for healing cover.
struct OwnedPods: Sendable {
    let api: any KubernetesAPI

    /// What tells afterwards whether the pod was replaced.
    func baseline(of pod: APIObjectReference) async throws(KubernetesError) -> JSONObject {
        let document = try await api.get(pod, subresource: nil)
        let owner = Self.owner(document)
        var baseline: JSONObject = [
            "uid": .string(document["metadata"]?["uid"]?.stringValue ?? ""), "owner": .optional(owner),
        ]
        var before: JSONObject = ["phase": .optional(document["status"]?["phase"]?.stringValue)]
        if let owner {
            let ready = try await self.ready(owner, in: pod.namespace)
            baseline["ready"] = .int(ready)
            before["ready"] = .int(ready)
        }
        baseline["before"] = .object(before)
        return baseline
    }

    /// Whether a pod is one of that Deployment: its set is called by the Deployment and the hash of the template.
    func belongs(_ pod: APIObjectReference, to deployment: String) async throws(KubernetesError) -> Bool {
        guard let metadata = try await find(pod)?["metadata"],
            let hash = metadata["labels"]?["pod-template-hash"]?.stringValue,
            let owner = metadata["ownerReferences"]?.arrayValue?.first(where: { $0["controller"] == true })
        else { return false }
        return owner["kind"] == "ReplicaSet" && owner["name"]?.stringValue == "\(deployment)-\(hash)"
    }

    /// Whether that very pod is gone or on its way out.
    func isGoing(_ pod: APIObjectReference, uid: String?) async throws(KubernetesError) -> Bool {
        guard let document = try await find(pod), document["metadata"]?["uid"]?.stringValue == uid else { return true }
        return document["metadata"]?["deletionTimestamp"]?.stringValue != nil
    }

    /// What there is beside when the pod is gone and as many are ready as before; nil until then.
    func isReplaced(_ pod: APIObjectReference, baseline: JSONObject) async throws(KubernetesError) -> JSONValue? {
        if let document = try await find(pod),
            document["metadata"]?["uid"]?.stringValue == baseline["uid"]?.stringValue
        {
            return nil
        }
        guard let owner = baseline["owner"]?.stringValue else { return ["phase": "gone"] }
        let ready = try await self.ready(owner, in: pod.namespace)
        return ready >= baseline["ready"]?.intValue ?? 0 ? JSONValue.object(["ready": .int(ready)]) : JSONValue?.none
    }

    private func find(_ pod: APIObjectReference) async throws(KubernetesError) -> JSONValue? {
        do throws(KubernetesError) {
            return try await api.get(pod, subresource: nil)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    private func ready(_ owner: String, in namespace: String?) async throws(KubernetesError) -> Int64 {
        var count: Int64 = 0
        var token: String?
        repeat {
            let page = try await api.list(
                ListQuery(ObjectSelection(.pods, namespace: namespace), continueToken: token)
            ) { pod in
                if Self.owner(pod) == owner, Self.isReady(pod) { count += 1 }
            }
            token = page.continueToken
        } while token != nil
        return count
    }

    /// The uid of the controller that makes its replacement.
    private static func owner(_ pod: JSONValue) -> String? {
        pod["metadata"]?["ownerReferences"]?.arrayValue?.first { $0["controller"] == true }?["uid"]?.stringValue
    }

    private static func isReady(_ pod: JSONValue) -> Bool {
        pod["metadata"]?["deletionTimestamp"] == nil
            && pod["status"]?["conditions"]?.arrayValue?.contains { $0["type"] == "Ready" && $0["status"] == "True" }
                ?? false
    }
}
