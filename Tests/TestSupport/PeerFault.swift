// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A test peer that is missing, ended too early or answered what it must not, with what mends it.
package struct PeerFault: Error, CustomStringConvertible {
    package let message: String

    package init(message: String) { self.message = message }

    package var description: String { message }
}
