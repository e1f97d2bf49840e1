// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Something that happened to the failure limits and that other replicas have to know.
package enum FailureEvent: Sendable, Hashable {
    /// What failed.
    package enum Key: Sendable, Hashable {
        /// An IPv4 address, or the first address of an IPv6 /64.
        case address(IPAddress)
        case identity(String)
    }

    case failed(Key, at: Timestamp)
    /// A block was lifted, by the key that the list of blocks shows.
    case cleared(String)
}

/// Passes failures on to the other replicas.
package protocol FailureSharing: Sendable {
    /// Takes an event. It never waits: what cannot be passed on soon is lost, and each replica goes on from what it knows.
    func share(_ event: FailureEvent)
}
