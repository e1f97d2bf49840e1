// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A session as a backend keeps it: a sealed value under a name that tells nothing.
package struct SessionEntry: Sendable, Hashable {
    /// `SessionNames.key`
    package let key: String
    /// `SessionNames.user` of its user; nil where it is not known.
    package var user: String?
    /// What `SessionSeal` made.
    package var value: [UInt8]
    /// When it is gone.
    package var expiresAt: Timestamp

    package init(key: String, user: String?, value: [UInt8], expiresAt: Timestamp) {
        self.key = key
        self.user = user
        self.value = value
        self.expiresAt = expiresAt
    }
}

/// Sessions cannot be asked for now. What was asked may have been done.
package struct SessionBackendError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Where sessions are kept. Values are opaque to it.
package protocol SessionBackend: Sendable {
    /// Adds or replaces a session; one that has expired already is not kept.
    func put(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError)

    /// Replaces a session that is still kept, and does nothing else: one that has been ended meanwhile stays ended.
    func replace(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError)

    /// A session that has not expired.
    func entry(_ key: String, at now: Timestamp) async throws(SessionBackendError) -> SessionEntry?

    /// Takes a session out; again changes nothing.
    func remove(_ key: String, user: String?) async throws(SessionBackendError)

    /// The keys of a user's sessions, sorted; some may have expired.
    func keys(ofUser user: String, at now: Timestamp) async throws(SessionBackendError) -> [String]

    /// The key of a session by its handle; the session may be over.
    func key(ofHandle handle: String, at now: Timestamp) async throws(SessionBackendError) -> String?

    /// Takes a lock, or keeps one of the same owner for longer.
    ///
    /// - Parameters:
    ///   - owner: drawn at random by whoever takes it.
    ///   - duration: after that it is free by itself.
    /// - Returns: false when another owner has it.
    func lock(_ name: String, owner: String, for duration: Duration, at now: Timestamp)
        async throws(SessionBackendError) -> Bool

    /// Frees a lock of that owner; nothing happens when it is another's by now.
    func unlock(_ name: String, owner: String) async throws(SessionBackendError)
}
