// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why the operator did not give a sidecar what it asked for.
package struct UpstreamError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// There is no credential to ask with.
        case noCredential = "no_credential"
        /// The file of authorities cannot be used.
        case badAuthorities = "bad_authorities"
        /// No answer came.
        case unreachable
        /// An answer came that is no success.
        case refused
        /// The answer is larger than a document may be.
        case tooLarge = "too_large"
        /// The answer is not one of Tollgate's.
        case badAnswer = "bad_answer"
    }

    package let code: Code
    /// The HTTP status of a refusal.
    package let status: Int?
    /// The `code` of the envelope of a refusal.
    package let refusal: String?
    /// For people, with what mends it where that is known; never a credential.
    package let message: String

    package init(_ code: Code, status: Int? = nil, refusal: String? = nil, _ message: String) {
        self.code = code
        self.status = status
        self.refusal = refusal
        self.message = message
    }

    package var description: String { message }
}
