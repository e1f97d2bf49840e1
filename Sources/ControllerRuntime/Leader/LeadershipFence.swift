// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Says whether this process may write to the cluster at this moment. Asked just before each write that only the leader makes.
package protocol LeadershipFence: Sendable {
    /// Whether the lease is held, renewed less than the renew deadline ago.
    var isLeading: Bool { get }
}
