// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// Evicts pods, so that PodDisruptionBudgets hold.
package struct PodEvictor: Sendable {
    /// What became of an eviction.
    package enum Outcome: Sendable, Hashable {
        case evicted
        /// The pod, or the pod of that uid, is not there any more.
        case gone
        /// A disruption budget does not allow it now; the server's words.
        case blocked(String)
    }

    private let api: any KubernetesAPI
    private let groups: ClusterGroups

    /// - Parameter groups: what is known of the server's versions.
    package init(api: any KubernetesAPI, groups: ClusterGroups) {
        self.api = api
        self.groups = groups
    }

    /// Evicts that very pod.
    ///
    /// - Parameter uid: nil = whichever has the name.
    package func evict(_ name: String, in namespace: String, uid: String?) async throws(KubernetesError) -> Outcome {
        let version = try await groups.version(of: "policy", among: ["v1", "v1beta1"])
        var body: JSONObject = [
            "apiVersion": .string("policy/\(version)"), "kind": "Eviction",
            "metadata": ["name": .string(name), "namespace": .string(namespace)],
        ]
        if let uid { body["deleteOptions"] = ["preconditions": ["uid": .string(uid)]] }
        do throws(KubernetesError) {
            _ = try await api.create(
                .object(body), in: .pods, namespace: namespace, name: name, subresource: "eviction")
            return .evicted
        } catch {
            switch error.code {
            case .notFound: return .gone
            // The uid belongs to another pod: the one that was meant has gone.
            case .conflict where uid != nil: return .gone
            case .tooManyRequests: return .blocked(error.message)
            default: throw error
            }
        }
    }
}
