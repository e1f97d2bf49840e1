// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a replica holds in memory of a shared store, and what it has to read again when somebody else changed it.
///
/// Reading the same again changes nothing, and an entity never goes back to an older state than is known here.
package protocol FollowedBook: Sendable {
    /// What it holds.
    var kinds: Set<StoreChange.Kind> { get }

    /// Brings everything to what the store has now; what the store has no more is dropped.
    ///
    /// - Throws: `FollowError`; then nothing was changed.
    func reload() async throws(FollowError)

    /// Brings the named entities to what the store has now; one that the store has no more is dropped.
    ///
    /// - Throws: `FollowError`; what was not brought up to date is asked for again.
    func refresh(_ kind: StoreChange.Kind, _ keys: [String]) async throws(FollowError)

    /// Takes an entity out of force, because what the store has of it cannot be read.
    func withdraw(_ kind: StoreChange.Kind, _ key: String)
}

/// Why a book could not be brought up to date.
package struct FollowError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unavailable
        /// The store has something that cannot be read.
        case corrupt
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
