// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What an admin or bootstrap token in the settings must look like.
package enum ConfiguredToken {
    /// What is wrong with a text.
    package enum Fault: Sendable, Hashable {
        /// Under 8 bytes: the start stops.
        case tooShort
        /// Over 8192 bytes, or with blanks or bytes that no header can carry: the start stops.
        case unpresentable
        /// It looks like a stored token or a JWT and would never be compared: the start stops.
        case otherKind
        /// Under 32 bytes: a warning.
        case weak

        /// Whether the start stops.
        package var isFatal: Bool { self != .weak }

        /// What to do about it.
        package var message: String {
            switch self {
            case .tooShort: "it is shorter than 8 bytes: use at least 32"
            case .unpresentable: "it holds blanks, control characters or more than 8192 bytes: use printable ASCII"
            case .otherKind: "it looks like a service token, an API key or a JWT: use another text"
            case .weak: "it is shorter than 32 bytes: use a longer one"
            }
        }
    }

    /// Looks at the shape of a text.
    package static func fault(in token: String, prefixes: TokenPrefixes) -> Fault? {
        if token.utf8.count < 8 { return .tooShort }
        if prefixes.kind(of: token) != nil || token.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 {
            return .otherKind
        }
        guard token.utf8.count <= TokenText.maximumBytes, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return .unpresentable
        }
        return token.utf8.count < 32 ? .weak : nil
    }
}
