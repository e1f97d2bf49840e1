// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How the trail is doing, for readiness and for people.
package struct AuditStatus: Sendable, Hashable {
    /// Whether entries are accepted.
    package let isWritable: Bool
    /// Entries that wait to be written.
    package let queued: Int
    /// The last synced entry's sequence number; 0 before the first.
    package let sequence: Int64
    /// Its hash, once this process has written one.
    package let hash: String?
    /// A segment that was found damaged at start, if one was.
    package let corruptSegment: String?
    /// How full the volume of the segments is, once it was looked at.
    package let volume: VolumeUse?
}
