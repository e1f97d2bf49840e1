// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import ManifestFiles
package import ResourceModel

/// The Deployment that mode `own` keeps in force.
package struct DeploymentTemplate: Sendable, Hashable {
    /// The key of the ConfigMap that it stands under.
    package static let key = "deployment.yaml"

    /// Without name, namespace, status and whatever the server adds.
    package let labels: JSONObject
    package let annotations: JSONObject
    package let spec: JSONObject

    /// The ConfigMap that it is kept in.
    package static func reference(of deployment: APIObjectReference) -> APIObjectReference {
        APIObjectReference(.configMaps, namespace: deployment.namespace, name: "\(deployment.name)-template")
    }

    /// Why a template cannot be used.
    package struct Fault: Error, Sendable, Hashable {
        package let message: String
    }

    /// Reads the text of a ConfigMap.
    package init(yaml text: String) throws(Fault) {
        let documents: [YAMLDocument]
        do throws(YAMLFault) {
            documents = try YAMLReader.parse(text)
        } catch {
            throw Fault(message: "\(Self.key): \(error)")
        }
        guard documents.count == 1, let document = documents.first?.value else {
            throw Fault(message: "\(Self.key): it must hold one document")
        }
        guard document["kind"] == "Deployment", document["apiVersion"] == "apps/v1" else {
            throw Fault(message: "\(Self.key): it must hold a Deployment of apps/v1")
        }
        guard let spec = document["spec"]?.objectValue, SelectorText.text(spec["selector"]) != nil,
            spec["template"]?["spec"]?["containers"]?.arrayValue?.isEmpty == false
        else {
            throw Fault(message: "\(Self.key): spec.selector and spec.template.spec.containers are required")
        }
        labels = document.at("metadata", "labels")?.objectValue ?? JSONObject()
        annotations = document.at("metadata", "annotations")?.objectValue ?? JSONObject()
        self.spec = spec
    }

    /// Makes one of a running Pod.
    ///
    /// - Parameter selector: of the Deployment that made it, where that is known.
    package init(pod: JSONValue, selector: JSONValue?) throws(Fault) {
        guard var podSpec = pod["spec"]?.objectValue else { throw Fault(message: "the own Pod has no spec") }
        var labels = pod.at("metadata", "labels")?.objectValue ?? JSONObject()
        labels["pod-template-hash"] = nil
        guard !labels.isEmpty else { throw Fault(message: "the own Pod has no labels that would select it") }
        var marks = pod.at("metadata", "annotations")?.objectValue ?? JSONObject()
        for name in marks.names where name.hasPrefix("kubectl.kubernetes.io/") || name == RestartMark.annotation {
            marks[name] = nil
        }
        podSpec = PodDefaults.removed(from: podSpec)
        var template: JSONObject = ["metadata": ["labels": .object(labels)], "spec": .object(podSpec)]
        if !marks.isEmpty { template["metadata"] = ["labels": .object(labels), "annotations": .object(marks)] }
        self.labels = labels
        annotations = JSONObject()
        spec = [
            "selector": selector ?? ["matchLabels": .object(labels)], "template": .object(template),
        ]
    }

    /// The document that says so.
    package func document(of deployment: APIObjectReference) -> JSONObject {
        var metadata: JSONObject = [
            "name": .string(deployment.name), "namespace": .string(deployment.namespace ?? ""),
        ]
        if !labels.isEmpty { metadata["labels"] = .object(labels) }
        if !annotations.isEmpty { metadata["annotations"] = .object(annotations) }
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": .object(metadata), "spec": .object(spec),
        ]
    }
}
