// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why the cluster could not be asked about a token.
package struct TokenReviewError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened.
    package enum Code: String, Sendable, CaseIterable {
        /// The API server does not let Tollgate ask.
        case forbidden
        case unavailable
        /// What came back is no answer.
        case malformedAnswer
    }

    package let code: Code
    /// For people; never holds the token.
    package let message: String
    /// How long the server asks to wait.
    package let retryAfter: Duration?

    package init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
