// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where the role document is kept when several replicas share a store.
package protocol PolicyDocumentStore: Sendable {
    /// The document; nil while nobody has stored one.
    func roleDocument() async throws(PolicyDocumentStoreError) -> StoredRoleDocument?

    /// Stores a document in the place of the one of that revision, 0 where there was none; durable when this returns.
    ///
    /// - Throws: `conflict` when another one is stored, else `unavailable`.
    func replaceRoleDocument(
        _ text: [UInt8], over revision: Int64
    ) async throws(PolicyDocumentStoreError) -> StoredRoleDocument
}

/// A role document as it is stored.
package struct StoredRoleDocument: Sendable, Hashable {
    /// As `data.json` has it.
    package let text: [UInt8]
    /// Counts its changes, from 1.
    package let revision: Int64

    package init(text: [UInt8], revision: Int64) {
        self.text = text
        self.revision = revision
    }
}

/// Why a store did not do what it was asked.
package struct PolicyDocumentStoreError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        case conflict, unavailable
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
