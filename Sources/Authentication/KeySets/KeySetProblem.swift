// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// An entry of a key set that was skipped.
package struct KeySetProblem: Sendable, Hashable, CustomStringConvertible {
    /// Why an entry cannot check signatures here.
    package enum Reason: String, Error, Sendable, Hashable {
        case notAnObject = "not an object"
        case unsupportedKeyType = "unsupported key type"
        case unsupportedCurve = "unsupported curve"
        case unsupportedAlgorithm = "unsupported algorithm"
        case notForSignatures = "not a key for signatures"
        case badMember = "a member has the wrong form"
        case badKey = "not a valid key"
        case weakKey = "RSA key under 2048 bits"
    }

    /// Its place in the list, from 0.
    package let index: Int
    /// Its `kid`.
    package let identifier: String?
    package let reason: Reason

    package var description: String { "key \(index)\(identifier.map { " (\($0))" } ?? ""): \(reason.rawValue)" }
}
