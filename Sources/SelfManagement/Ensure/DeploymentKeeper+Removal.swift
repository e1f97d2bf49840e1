// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization

/// That somebody wants the Deployment gone is kept beside its template: whoever leads when it is gone may never have seen it.
extension DeploymentKeeper {
    /// Keeps whether the Deployment says so; asks the cluster only when that is news.
    func keepRemoval(_ isRemoved: Bool, of reference: APIObjectReference) async throws(KubernetesError) {
        guard mode == .own, removal.isKept != isRemoved else { return }
        let place = DeploymentTemplate.reference(of: reference)
        do throws(KubernetesError) {
            let mark: JSONValue = [OwnDeployment.removedAnnotation: isRemoved ? "true" : .null]
            _ = try await api.patch(place, subresource: nil, .merge(["metadata": ["annotations": mark]]))
        } catch  where error.code == .notFound {
            if isRemoved { try await keepRemovalAlone(at: place) }
        }
        removal.isKept = isRemoved
    }

    private func keepRemovalAlone(at place: APIObjectReference) async throws(KubernetesError) {
        let map: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": .string(place.name), "namespace": .string(place.namespace ?? ""),
                "labels": ["app.kubernetes.io/managed-by": "tollgate"],
                "annotations": [OwnDeployment.removedAnnotation: "true"],
            ],
        ]
        _ = try await api.patch(place, subresource: nil, .apply(map, force: true))
    }

    /// Whether the Deployment is to stay away.
    func isRemoved(_ reference: APIObjectReference) async throws(KubernetesError) -> Bool {
        if objects.vanished?.isRemoved == true { return true }
        do throws(KubernetesError) {
            return Self.saysRemoved(
                try await api.get(DeploymentTemplate.reference(of: reference), subresource: nil))
        } catch  where error.code == .notFound {
            return false
        }
    }

    static func saysRemoved(_ map: JSONValue) -> Bool {
        map.at("metadata", "annotations", OwnDeployment.removedAnnotation)?.stringValue == "true"
    }
}

/// What the cluster was last told about a removal; nil when nothing yet.
final class RemovalMemory: Sendable {
    private let state = Mutex<Bool?>(nil)

    var isKept: Bool? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
