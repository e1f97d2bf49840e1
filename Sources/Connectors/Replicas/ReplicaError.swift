// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why another replica did not answer.
package struct ReplicaError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The address is none that a replica can have.
        case badAddress
        /// No connection, or it was lost.
        case unreachable
        /// It is not a replica of this installation: it has another certificate.
        case untrusted
        case timedOut
        /// The answer is no HTTP, or too large.
        case badAnswer
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
