// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// The fields of the own Deployment that Tollgate applies: all of them each time, for what is left out would be given up.
package struct OwnedFields: Sendable {
    /// Says that Tollgate made the Deployment, so that its fields may be forced.
    package static let madeAnnotation = "tollgate.dev/made"

    package var deployment: APIObjectReference
    /// What mode `own` keeps in force; nil where only annotations are ours.
    package var template: JSONObject?
    package var isOurs: Bool
    package var memory: HealingMemory
    package var restartedAt: String?
    /// What is there already stays as it is: others decide on it.
    package var replicas: Int?

    package init(
        deployment: APIObjectReference, template: JSONObject? = nil, isOurs: Bool = false, memory: HealingMemory,
        restartedAt: String? = nil, replicas: Int? = nil
    ) {
        self.deployment = deployment
        self.template = template
        self.isOurs = isOurs
        self.memory = memory
        self.restartedAt = restartedAt
        self.replicas = replicas
    }

    /// The document to apply.
    ///
    /// - Parameters:
    ///   - uid: of the Deployment that is meant; one that was made since is another. Nil where it is to be made.
    ///   - resourceVersion: the state that it is applied to.
    package func document(uid: String?, resourceVersion: String?) -> JSONValue {
        var document =
            template ?? [
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": [
                    "name": .string(deployment.name), "namespace": .string(deployment.namespace ?? ""),
                ],
            ]
        var metadata = document["metadata"]?.objectValue ?? JSONObject()
        var annotations = metadata["annotations"]?.objectValue ?? JSONObject()
        if !memory.isEmpty { annotations[HealingMemory.annotation] = .string(memory.text) }
        if isOurs { annotations[Self.madeAnnotation] = "true" }
        if !annotations.isEmpty { metadata["annotations"] = .object(annotations) }
        if isOurs { metadata["labels"] = .object(Self.marked(metadata["labels"]?.objectValue)) }
        if let uid { metadata["uid"] = .string(uid) }
        if let resourceVersion { metadata["resourceVersion"] = .string(resourceVersion) }
        document["metadata"] = .object(metadata)
        var spec = document["spec"]?.objectValue ?? JSONObject()
        if template != nil, let replicas { spec["replicas"] = .int(Int64(replicas)) }
        if let restartedAt { spec["template"] = Self.marked(spec["template"], restartedAt) }
        if !spec.isEmpty { document["spec"] = .object(spec) }
        return .object(document)
    }

    /// The changes of annotations alone, as a merge patch.
    static func marks(_ memory: HealingMemory, restartedAt: String?, on present: OwnDeployment) -> JSONValue {
        var marks: JSONObject = [
            "metadata": [
                "uid": .string(present.uid), "resourceVersion": .string(present.resourceVersion),
                "annotations": [HealingMemory.annotation: memory.isEmpty ? .null : .string(memory.text)],
            ]
        ]
        if let restartedAt { marks["spec"] = ["template": marked(nil, restartedAt)] }
        return .object(marks)
    }

    private static func marked(_ labels: JSONObject?) -> JSONObject {
        var labels = labels ?? JSONObject()
        labels["app.kubernetes.io/managed-by"] = "tollgate"
        labels["tollgate.dev/managed"] = "true"
        return labels
    }

    private static func marked(_ template: JSONValue?, _ restartedAt: String) -> JSONValue {
        var template = template?.objectValue ?? JSONObject()
        var metadata = template["metadata"]?.objectValue ?? JSONObject()
        var annotations = metadata["annotations"]?.objectValue ?? JSONObject()
        annotations[RestartMark.annotation] = .string(restartedAt)
        metadata["annotations"] = .object(annotations)
        template["metadata"] = .object(metadata)
        return .object(template)
    }
}
