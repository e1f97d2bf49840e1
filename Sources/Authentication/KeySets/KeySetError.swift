// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a document is not a key set.
package struct KeySetError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        case malformed, tooManyKeys, noUsableKey
    }

    package let code: Code
    package let message: String
    /// The entries that were skipped, with `noUsableKey`.
    package let problems: [KeySetProblem]
    package let cause: (any Error)?

    package init(_ code: Code, problems: [KeySetProblem] = [], cause: (any Error)? = nil) {
        self.code = code
        self.problems = problems
        self.cause = cause
        message =
            switch code {
            case .malformed: "not a JWK set"
            case .tooManyKeys: "more than 64 keys"
            case .noUsableKey: "no usable key"
            }
    }

    package var description: String {
        problems.isEmpty ? message : "\(message): \(problems.map(\.description).joined(separator: "; "))"
    }
}
