// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a Lease says about who leads.
///
/// Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/#lease-v1-coordination-k8s-io
package struct LeaseRecord: Sendable, Equatable {
    /// Where clients reach the leader.
    package static let addressAnnotation = "tollgate.dev/leader-address"

    /// Empty when nobody leads.
    package var holder: String
    package var durationSeconds: Int64
    package var acquireTime: String
    package var renewTime: String
    package var transitions: Int64
    package var address: String?
    package var resourceVersion: String

    /// Reads a Lease; members that are missing count as empty.
    package init(_ document: JSONValue) {
        let spec = document["spec"]
        holder = spec?["holderIdentity"]?.stringValue ?? ""
        durationSeconds = spec?["leaseDurationSeconds"]?.intValue ?? 0
        acquireTime = spec?["acquireTime"]?.stringValue ?? ""
        renewTime = spec?["renewTime"]?.stringValue ?? ""
        transitions = spec?["leaseTransitions"]?.intValue ?? 0
        address = document["metadata"]?["annotations"]?[Self.addressAnnotation]?.stringValue
        resourceVersion = document["metadata"]?["resourceVersion"]?.stringValue ?? ""
    }

    /// A record of a new holder.
    init(holder: String, durationSeconds: Int64, time: String, transitions: Int64, address: String?) {
        self.holder = holder
        self.durationSeconds = durationSeconds
        acquireTime = time
        renewTime = time
        self.transitions = transitions
        self.address = address
        resourceVersion = ""
    }

    /// The Lease to send; with a resourceVersion it replaces only that very state.
    func document(name: String, namespace: String) -> JSONValue {
        var metadata: JSONObject = ["name": .string(name), "namespace": .string(namespace)]
        if !resourceVersion.isEmpty { metadata["resourceVersion"] = .string(resourceVersion) }
        if let address { metadata["annotations"] = [Self.addressAnnotation: .string(address)] }
        return [
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": .object(metadata),
            "spec": [
                "holderIdentity": .string(holder), "leaseDurationSeconds": .int(durationSeconds),
                "acquireTime": .string(acquireTime), "renewTime": .string(renewTime),
                "leaseTransitions": .int(transitions),
            ],
        ]
    }
}
