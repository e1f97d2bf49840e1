// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// Who this process is in the cluster.
package struct SelfInfo: Sendable, Hashable {
    package var namespace: String
    package var podName: String
    package var podIP: String?
    package var nodeName: String?
    /// The own Deployment; nil where it is not known, or there is none.
    package var deployment: String?
    /// Why there is none, for people.
    package var reason: String?

    package init(
        namespace: String, podName: String, podIP: String? = nil, nodeName: String? = nil, deployment: String? = nil,
        reason: String? = nil
    ) {
        self.namespace = namespace
        self.podName = podName
        self.podIP = podIP
        self.nodeName = nodeName
        self.deployment = deployment
        self.reason = reason
    }

    package var deploymentReference: APIObjectReference? {
        deployment.map { APIObjectReference(.deployments, namespace: namespace, name: $0) }
    }

    package var podReference: APIObjectReference { APIObjectReference(.pods, namespace: namespace, name: podName) }
}

/// Finds the own Deployment where nobody named it: Pod, its ReplicaSet, its Deployment.
package struct SelfInfoFinder: Sendable {
    private let api: any KubernetesAPI

    package init(api: any KubernetesAPI) { self.api = api }

    /// The same with the Deployment, or with the reason why there is none.
    ///
    /// - Throws: what the API server cannot be asked; asking again may help.
    package func complete(_ info: SelfInfo) async throws(KubernetesError) -> SelfInfo {
        guard info.deployment == nil else { return info }
        var info = info
        do throws(KubernetesError) {
            let pod = try await api.get(info.podReference, subresource: nil)
            info.podIP = info.podIP ?? pod.at("status", "podIP")?.stringValue
            info.nodeName = info.nodeName ?? pod.at("spec", "nodeName")?.stringValue
            guard let owner = Self.controller(of: pod) else {
                info.reason = "Pod \(info.podName) belongs to nothing that would make it again"
                return info
            }
            guard owner.kind == "ReplicaSet" else {
                info.reason = "Pod \(info.podName) belongs to \(owner.kind) \(owner.name) and to no Deployment"
                return info
            }
            let set = try await api.get(
                APIObjectReference(.replicaSets, namespace: info.namespace, name: owner.name), subresource: nil)
            guard let above = Self.controller(of: set), above.kind == "Deployment" else {
                info.reason = "ReplicaSet \(owner.name) belongs to no Deployment"
                return info
            }
            info.deployment = above.name
            info.reason = nil
        } catch  where error.code == .notFound {
            info.reason =
                "there is no Pod \(info.podName) in namespace \(info.namespace): set TOLLGATE_DEPLOYMENT, or POD_NAME and POD_NAMESPACE"
        }
        return info
    }

    private static func controller(of object: JSONValue) -> (kind: String, name: String)? {
        let owners = object.at("metadata", "ownerReferences")?.arrayValue ?? []
        guard let owner = owners.first(where: { $0["controller"] == true }), let kind = owner["kind"]?.stringValue,
            let name = owner["name"]?.stringValue
        else { return nil }
        return (kind, name)
    }
}
