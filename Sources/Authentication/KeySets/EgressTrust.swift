// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Whose text a URL is.
package enum EgressTrust: Sendable, Hashable {
    /// The settings of the process: its operator's.
    case settings
    /// An object's: the address that its host resolves to must be public unless allowed.
    case object
}
