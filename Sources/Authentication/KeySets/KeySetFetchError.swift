// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a key set did not come.
package struct KeySetFetchError: Error, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// The outgoing guard refused the URL or its address.
        case egressRefused
        /// Nobody answered, or not in time.
        case unreachable
        /// The status is not 200.
        case badStatus
        /// The body is over 256 KiB.
        case tooLarge
        /// The discovery document is unusable, or names another issuer.
        case badDiscovery
        /// The document is no key set with usable keys.
        case badKeySet
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
