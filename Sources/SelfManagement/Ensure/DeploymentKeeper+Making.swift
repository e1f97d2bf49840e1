// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Making a Deployment that vanished.
extension DeploymentKeeper {
    /// Makes the Deployment again, unless somebody wanted it gone.
    func make(_ reference: APIObjectReference, _ memory: HealingMemory) async throws(Refusal) -> EnsureReport {
        var report = EnsureReport(mode: mode)
        do throws(KubernetesError) {
            if objects.vanished?.isRemoved == true { try await keepRemoval(true, of: reference) }
            if try await isRemoved(reference) { return report }
        } catch {
            throw Self.refusal(error)
        }
        report.drift = ["metadata"]
        let fields: OwnedFields
        let isFromPod: Bool
        do throws(KubernetesError) {
            do throws(KubernetesError) {
                // The watch may be behind.
                objects.note(try await api.get(reference, subresource: nil))
                return report
            } catch  where error.code == .notFound {}
            let kept = try await template(reference, orFromPod: false, selector: nil)
            isFromPod = kept == nil
            var made = kept
            if made == nil { made = try await template(reference, orFromPod: true, selector: try await selector()) }
            guard let template = made else { return report }
            fields = OwnedFields(
                deployment: reference, template: template.document(of: reference), isOurs: true, memory: memory,
                restartedAt: objects.vanished?.restartedAt,
                replicas: objects.vanished?.replicas ?? template.spec["replicas"]?.countValue ?? 1)
            if isFromPod { try await keep(template, of: reference) }
        } catch {
            throw Self.refusal(error)
        }
        let act = SelfAct(
            .ensure, on: reference.auditName,
            after: ["replicas": .int(Int64(fields.replicas ?? 1)), "template": isFromPod ? "own pod" : "ConfigMap"],
            reason: "the Deployment is gone")
        report.repaired = try await journal.act(act) { () async throws(Refusal) in
            do throws(KubernetesError) {
                let document = fields.document(uid: nil, resourceVersion: nil)
                objects.note(try await api.patch(reference, subresource: nil, .apply(document, force: true)))
                return (true, .ok, "made")
            } catch {
                throw ClusterFault.refusal(error, verb: "create", resource: "deployments")
            }
        }
        return report
    }

    /// What selected the own Pod: that of its ReplicaSet without the mark of the template.
    private func selector() async throws(KubernetesError) -> JSONValue? {
        let pod = try await api.get(objects.info.podReference, subresource: nil)
        let owners = pod.at("metadata", "ownerReferences")?.arrayValue ?? []
        guard let name = owners.first(where: { $0["kind"] == "ReplicaSet" })?["name"]?.stringValue else { return nil }
        do throws(KubernetesError) {
            let set = try await api.get(
                APIObjectReference(.replicaSets, namespace: objects.info.namespace, name: name), subresource: nil)
            guard var selector = set.at("spec", "selector")?.objectValue,
                var labels = selector["matchLabels"]?.objectValue
            else { return nil }
            labels["pod-template-hash"] = nil
            selector["matchLabels"] = .object(labels)
            return .object(selector)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Keeps a template that was made of the own Pod, so that there is something to compare with from now on.
    private func keep(_ template: DeploymentTemplate, of reference: APIObjectReference) async throws(KubernetesError) {
        let place = DeploymentTemplate.reference(of: reference)
        let text = String(decoding: JSONValue.object(template.document(of: reference)).encoded(), as: UTF8.self)
        let map: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": .string(place.name), "namespace": .string(place.namespace ?? ""),
                "labels": ["app.kubernetes.io/managed-by": "tollgate"],
            ],
            "data": [DeploymentTemplate.key: .string(text)],
        ]
        _ = try await api.patch(place, subresource: nil, .apply(map, force: true))
    }
}
