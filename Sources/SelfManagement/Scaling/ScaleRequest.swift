// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How many replicas somebody asks for, and whether they may be had.
package struct ScaleRequest: Sendable, Hashable {
    package let replicas: Int

    package init(replicas: Int) { self.replicas = replicas }

    /// Reads the body of a request.
    ///
    /// - Throws: `request.malformed` for other members, `k8s.bad_replicas` for what is no number that replicas can have.
    package init(_ body: JSONObject) throws(Refusal) {
        let unknown = body.names.filter { $0 != "replicas" }
        guard unknown.isEmpty else {
            throw Refusal(
                .requestMalformed, message: "Unknown member: \(unknown.prefix(8).joined(separator: ", "))",
                details: ["unknown": .strings(unknown.prefix(8))])
        }
        guard let value = body["replicas"] else {
            throw Refusal(.requestMalformed, message: "Member replicas is required: {\"replicas\": 3}")
        }
        guard let number = value.intValue, (0...100).contains(number) else { throw Refusal(.k8sBadReplicas) }
        replicas = Int(number)
    }

    /// What bounds the number of replicas in this installation.
    package struct Bounds: Sendable, Hashable {
        package var minimum: Int
        package var maximum: Int
        /// Whether replicas share what they keep.
        package var hasSharedStore: Bool

        package init(minimum: Int = 1, maximum: Int = 10, hasSharedStore: Bool) {
            self.minimum = minimum
            self.maximum = maximum
            self.hasSharedStore = hasSharedStore
        }
    }

    /// Tests the number itself.
    ///
    /// - Throws: `k8s.replicas_zero`, `k8s.replicas_out_of_bounds`, `k8s.shared_store_required`.
    package func check(_ bounds: Bounds) throws(Refusal) {
        guard replicas > 0 else { throw Refusal(.k8sReplicasZero) }
        guard (bounds.minimum...max(bounds.minimum, bounds.maximum)).contains(replicas) else {
            throw Refusal(
                .k8sReplicasOutOfBounds,
                message:
                    "Replicas must be between \(bounds.minimum) and \(bounds.maximum): TOLLGATE_SCALE_MIN and TOLLGATE_SCALE_MAX",
                details: ["min": .int(Int64(bounds.minimum)), "max": .int(Int64(bounds.maximum))])
        }
        guard replicas == 1 || bounds.hasSharedStore else { throw Refusal(.k8sSharedStoreRequired) }
    }

    /// Tests whether somebody else decides.
    ///
    /// - Parameter autoscaler: the HorizontalPodAutoscaler of the Deployment.
    /// - Throws: `k8s.hpa_controls`.
    package static func check(autoscaler: String?) throws(Refusal) {
        guard let autoscaler else { return }
        throw Refusal(
            .k8sHPAControls,
            message:
                "HorizontalPodAutoscaler \(BoundedText.cut(autoscaler, bytes: 253)) decides on the number of replicas: change its bounds",
            details: ["name": .string(autoscaler)])
    }
}
