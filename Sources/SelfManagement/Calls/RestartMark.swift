// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// The annotation of a pod template whose change makes a workload replace its pods one after another.
package enum RestartMark {
    /// On the template, not on the workload.
    package static let annotation = "tollgate.dev/restartedAt"

    /// What a workload looks like with the mark: what is sent, as a merge patch or as applied fields.
    package static func template(at time: Timestamp) -> JSONValue {
        ["metadata": ["annotations": [annotation: .string(time.rfc3339)]]]
    }

    /// Restarts somebody's workload.
    ///
    /// - Returns: the workload as it is then.
    package static func set(
        on workload: APIObjectReference, at time: Timestamp, api: any KubernetesAPI
    ) async throws(KubernetesError) -> JSONValue {
        try await api.patch(workload, subresource: nil, .merge(["spec": ["template": template(at: time)]]))
    }
}
