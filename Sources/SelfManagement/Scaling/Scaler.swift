// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Asks for another number of own replicas, where nobody else decides on it.
struct Scaler: Sendable {
    private static let manager = "tollgate"
    /// How often a write is tried that others were faster than.
    private static let tries = 3

    let api: any KubernetesAPI
    let scale: ScaleCall
    let autoscalers: AutoscalerLookup
    let journal: SelfJournal
    let objects: OwnObjects

    /// Has so many replicas wanted, and reads back that they are.
    func scale(to request: ScaleRequest, actor: String, reason: String) async throws(Refusal) -> ScaleOutcome {
        guard let reference = objects.info.deploymentReference else {
            throw Refusal(.k8sNoDeployment, details: ["reason": .optional(objects.info.reason)])
        }
        try ScaleRequest.check(autoscaler: try await autoscaler(of: reference))
        let present = try await read(reference)
        guard present.replicas != request.replicas else {
            return ScaleOutcome(before: present.replicas, after: present.replicas)
        }
        let act = SelfAct(
            .scale, on: reference.auditName, by: actor, before: .int(Int64(present.replicas)),
            after: .int(Int64(request.replicas)), reason: reason)
        return try await journal.act(act) { () async throws(Refusal) in
            let before = try await write(request.replicas, to: reference, present)
            let after = try await read(reference)
            guard after.replicas == request.replicas else { throw Refusal(.k8sConflict) }
            await release(reference)
            return (ScaleOutcome(before: before, after: after.replicas), .ok, "\(before) to \(after.replicas)")
        }
    }

    /// The HorizontalPodAutoscaler that decides.
    func autoscaler(of reference: APIObjectReference) async throws(Refusal) -> String? {
        do throws(KubernetesError) {
            return try await autoscalers.autoscaler(of: reference)
        } catch {
            throw ClusterFault.refusal(error, verb: "list", resource: "horizontalpodautoscalers")
        }
    }

    private func read(_ reference: APIObjectReference) async throws(Refusal) -> ScaleCall.Present {
        do throws(KubernetesError) {
            return try await scale.read(reference)
        } catch  where error.code == .notFound {
            throw Refusal(.k8sNoDeployment, details: ["reason": .string("\(reference) is not there")])
        } catch {
            throw ClusterFault.refusal(error, verb: "get", resource: "deployments/scale")
        }
    }

    /// - Returns: how many there were.
    private func write(
        _ replicas: Int, to reference: APIObjectReference, _ present: ScaleCall.Present
    ) async throws(Refusal) -> Int {
        var present = present
        for attempt in 1...Self.tries {
            do throws(KubernetesError) {
                // Whatever the version: while a rollout runs the status changes all the time, and the number is what was asked for.
                _ = try await scale.write(replicas, to: reference, resourceVersion: nil)
                return present.replicas
            } catch {
                guard error.code == .conflict, attempt < Self.tries else {
                    throw ClusterFault.refusal(error, verb: "patch", resource: "deployments/scale")
                }
            }
            present = try await read(reference)
        }
        throw Refusal(.k8sConflict)
    }

    /// Gives `spec.replicas` back: who applies the Deployment next, as an upgrade of the release does, meets no conflict over it.
    ///
    /// What is given back is the record that this process was the last to write the field; the number stays.
    private func release(_ reference: APIObjectReference) async {
        for _ in 1...Self.tries {
            do throws(KubernetesError) {
                let live = try await api.get(reference, subresource: nil)
                objects.note(live)
                let entries = live.at("metadata", "managedFields")?.arrayValue ?? []
                let index = entries.firstIndex {
                    $0["manager"]?.stringValue == Self.manager && $0["subresource"] == "scale"
                }
                guard let index, let version = live.at("metadata", "resourceVersion") else { return }
                let operations: JSONValue = [
                    ["op": "test", "path": "/metadata/resourceVersion", "value": version],
                    ["op": "remove", "path": .string("/metadata/managedFields/\(index)")],
                ]
                objects.note(try await api.patch(reference, subresource: nil, .json(operations)))
                return
            } catch {
                // Somebody was faster: once more. Anything else leaves the claim, which an upgrade may have to force.
                guard error.code == .conflict || error.code == .invalid else { return }
            }
        }
    }
}
