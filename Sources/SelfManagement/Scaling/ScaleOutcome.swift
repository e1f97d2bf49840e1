// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a scaling came to.
package struct ScaleOutcome: Sendable, Hashable {
    package var before: Int
    package var after: Int

    package init(before: Int, after: Int) {
        self.before = before
        self.after = after
    }

    package var changed: Bool { before != after }

    /// The answer of `POST /v1/k8s/scale`.
    package func json(at now: Timestamp) -> JSONObject {
        [
            "action": .string("scale:\(after)"), "success": true, "changed": .bool(changed),
            "before": .int(Int64(before)), "after": .int(Int64(after)),
            "message": .string(
                changed ? "Scaled from \(before) to \(after) replicas" : "There are \(after) replicas already"),
            "timestamp": .string(now.rfc3339Micros),
        ]
    }
}
