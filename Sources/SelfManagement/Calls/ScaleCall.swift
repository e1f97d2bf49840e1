// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// Reads and writes how many replicas a workload shall have, through its scale subresource.
package struct ScaleCall: Sendable {
    /// What the subresource says.
    package struct Present: Sendable, Hashable {
        package let replicas: Int
        package let resourceVersion: String
    }

    private let api: any KubernetesAPI

    package init(api: any KubernetesAPI) { self.api = api }

    /// How many replicas are wanted now.
    package func read(_ workload: APIObjectReference) async throws(KubernetesError) -> Present {
        try Self.present(try await api.get(workload, subresource: "scale"))
    }

    /// Asks for so many.
    ///
    /// - Parameter resourceVersion: only the state that was read is changed: `conflict` when somebody was faster. Nil = whatever it is.
    /// - Returns: what the server made of it.
    package func write(
        _ replicas: Int, to workload: APIObjectReference, resourceVersion: String?
    ) async throws(KubernetesError) -> Present {
        var patch: JSONObject = ["spec": ["replicas": .int(Int64(replicas))]]
        if let resourceVersion { patch["metadata"] = ["resourceVersion": .string(resourceVersion)] }
        return try Self.present(try await api.patch(workload, subresource: "scale", .merge(.object(patch))))
    }

    private static func present(_ scale: JSONValue) throws(KubernetesError) -> Present {
        // A number that is nought is left out.
        guard scale["kind"]?.stringValue == "Scale" else {
            throw KubernetesError(.malformedAnswer, message: "the scale subresource gave no Scale")
        }
        return Present(
            replicas: Int(clamping: scale["spec"]?["replicas"]?.intValue ?? 0),
            resourceVersion: scale["metadata"]?["resourceVersion"]?.stringValue ?? "")
    }
}
