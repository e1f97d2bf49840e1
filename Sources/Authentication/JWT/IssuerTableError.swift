// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a list of issuer entries is not a table.
package struct IssuerTableError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Two entries have the same issuer, or two have none.
        case duplicateIssuer
        /// An entry has neither secret nor keys nor a place to fetch them from.
        case noKeySource
        /// An entry allows a difference of clocks that is negative or over 120 seconds.
        case badLeeway
    }

    package let code: Code
    package let message: String

    init(_ code: Code, entry: IssuerEntry) {
        self.code = code
        message =
            switch code {
            case .duplicateIssuer: "issuer entry \(entry.name): its issuer is taken by another entry"
            case .noKeySource: "issuer entry \(entry.name): it has no keys"
            case .badLeeway: "issuer entry \(entry.name): the leeway must be 0 to 120 seconds"
            }
    }

    package var description: String { message }
}
