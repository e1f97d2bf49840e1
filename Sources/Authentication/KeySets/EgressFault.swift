// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why the outgoing guard refuses.
package struct EgressFault: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Not a URL that outgoing calls may name.
        case malformedURL
        /// A user name or password in the URL.
        case userInformation
        /// `http` to a host that is neither loopback nor allowed.
        case plainTextForbidden
        /// An address that is not public and not allowed.
        case addressForbidden
        /// An entry of the allow-list that is neither a host nor an address block.
        case badAllowEntry
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
