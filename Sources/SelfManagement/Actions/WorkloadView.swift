// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a Deployment or StatefulSet says about its replicas.
struct WorkloadView {
    private let document: JSONValue

    init(_ document: JSONValue) { self.document = document }

    private func count(_ name: String) -> Int64 { document["status"]?[name]?.intValue ?? 0 }

    private var wanted: Int64 { document["spec"]?["replicas"]?.intValue ?? 1 }
    private var generation: Int64 { document["metadata"]?["generation"]?.intValue ?? 0 }

    /// For people: how it was before and after.
    var summary: JSONValue {
        ["generation": .int(generation), "replicas": .int(wanted), "ready_replicas": .int(count("readyReplicas"))]
    }

    /// Whether the controller has seen that generation, or a later one, and every replica is updated and available.
    func isRolledOut(from started: Int64) -> Bool {
        let seen = count("observedGeneration")
        return seen >= started && seen >= generation && count("updatedReplicas") == wanted
            && count("availableReplicas") == wanted && count("replicas") == wanted
    }

    /// Whether so many are wanted and ready.
    func isScaled(to replicas: Int64) -> Bool { wanted == replicas && count("readyReplicas") == replicas }
}
