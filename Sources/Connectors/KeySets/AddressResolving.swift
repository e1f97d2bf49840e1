// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Finds the addresses of a host name.
package protocol AddressResolving: Sendable {
    /// Every address, in the order in which they should be tried; empty when there is none.
    func addresses(of host: String) async throws -> [IPAddress]
}
