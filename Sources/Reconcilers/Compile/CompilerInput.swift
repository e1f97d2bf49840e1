// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// One object as the control side read it, whichever side that is: files or an API server.
package struct CompilerInput: Sendable {
    package var key: ObjectKey
    /// What is in force; nil when there never was a sound one, or when it stands in several places.
    package var object: ManifestObject?
    /// Why the object as it was written last is refused; while this holds problems, `object` is the last good one.
    package var problems: [String]
    /// The hosts that an AuthConfig names even when it is refused.
    package var claimedHosts: [String]
    package var generation: Int64
    package var createdAt: Timestamp

    package init(
        key: ObjectKey, object: ManifestObject?, problems: [String], claimedHosts: [String], generation: Int64,
        createdAt: Timestamp
    ) {
        self.key = key
        self.object = object
        self.problems = problems
        self.claimedHosts = claimedHosts
        self.generation = generation
        self.createdAt = createdAt
    }
}
