// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// What a fault of the API server is to whoever asked for an act.
package enum ClusterFault {
    /// The refusal to answer with.
    ///
    /// - Parameters:
    ///   - verb: what was tried: `patch`.
    ///   - resource: of what: `deployments/scale`.
    package static func refusal(_ error: KubernetesError, verb: String, resource: String) -> Refusal {
        switch error.code {
        case .forbidden, .unauthorized:
            Refusal(
                .k8sForbidden,
                message: "The API server does not let Tollgate \(verb) \(resource): give it the rights of the chart",
                details: ["verb": .string(verb), "resource": .string(resource)])
        case .conflict: Refusal(.k8sConflict, details: ["resource": .string(resource)])
        case .cancelled:
            Refusal(.k8sNoLeader, message: "This replica does not lead any more", retryAfterSeconds: 2)
        case .badRequest, .invalid, .notFound, .methodNotAllowed, .alreadyExists, .tooLarge, .unsupportedMediaType:
            Refusal(
                .k8sAPIUnavailable, message: "The API server refuses to \(verb) \(resource): \(error.message)",
                details: ["reason": .string(error.code.rawValue)])
        default:
            Refusal(.k8sAPIUnavailable, details: ["reason": .string(error.code.rawValue)], retryAfterSeconds: 5)
        }
    }
}
