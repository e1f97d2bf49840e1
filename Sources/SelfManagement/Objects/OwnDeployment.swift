// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The own Deployment, as far as it is looked after.
///
/// Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/#deployment-v1-apps
package struct OwnDeployment: Sendable, Hashable {
    /// With which value of it a Deployment that vanishes is not made again.
    package static let removedAnnotation = "tollgate.dev/removed"

    package let name: String
    package let uid: String
    package let resourceVersion: String
    package let generation: Int
    package let observedGeneration: Int
    /// `spec.replicas`; 1 where nothing is said.
    package let replicas: Int
    package let presentReplicas: Int
    package let updatedReplicas: Int
    package let readyReplicas: Int
    package let availableReplicas: Int
    package let isPastDeadline: Bool
    package let isBeingDeleted: Bool
    package let isRemoved: Bool
    /// The selector of its pods in the server's syntax; nil when it cannot be written so.
    package let selector: String?
    /// What self-management remembers on it; nil where nothing is remembered.
    package let memory: String?
    /// The mark of the last restart on its template.
    package let restartedAt: String?

    /// Reads a Deployment. Nil when it has no name.
    package init?(_ document: JSONValue) {
        guard let metadata = document["metadata"], let name = metadata["name"]?.stringValue else { return nil }
        let spec = document["spec"]
        let status = document["status"]
        self.name = name
        uid = metadata["uid"]?.stringValue ?? ""
        resourceVersion = metadata["resourceVersion"]?.stringValue ?? ""
        generation = metadata["generation"]?.countValue ?? 0
        observedGeneration = status?["observedGeneration"]?.countValue ?? 0
        replicas = spec?["replicas"]?.intValue.map { Int(clamping: $0) } ?? 1
        presentReplicas = status?["replicas"]?.countValue ?? 0
        updatedReplicas = status?["updatedReplicas"]?.countValue ?? 0
        readyReplicas = status?["readyReplicas"]?.countValue ?? 0
        availableReplicas = status?["availableReplicas"]?.countValue ?? 0
        isPastDeadline = (status?["conditions"]?.arrayValue ?? []).contains {
            $0["type"] == "Progressing" && $0["status"] == "False" && $0["reason"] == "ProgressDeadlineExceeded"
        }
        isBeingDeleted = metadata["deletionTimestamp"] != nil
        let annotations = metadata["annotations"]
        isRemoved = annotations?[Self.removedAnnotation]?.stringValue == "true"
        memory = annotations?[HealingMemory.annotation]?.stringValue
        selector = SelectorText.text(spec?["selector"])
        restartedAt = document.at("spec", "template", "metadata", "annotations", RestartMark.annotation)?.stringValue
    }

    /// Whether the controller still replaces pods, and may.
    package var isRollingOut: Bool {
        (observedGeneration < generation || updatedReplicas < replicas) && !isPastDeadline
    }
}
