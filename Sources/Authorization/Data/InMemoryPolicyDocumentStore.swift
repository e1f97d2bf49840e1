// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A store that forgets everything when the process ends.
package final class InMemoryPolicyDocumentStore: PolicyDocumentStore {
    private let document = Mutex<StoredRoleDocument?>(nil)

    /// An empty store.
    package init() {}

    package func roleDocument() async throws(PolicyDocumentStoreError) -> StoredRoleDocument? {
        document.withLock(\.self)
    }

    package func replaceRoleDocument(
        _ text: [UInt8], over revision: Int64
    ) async throws(PolicyDocumentStoreError) -> StoredRoleDocument {
        let stored = document.withLock { document -> StoredRoleDocument? in
            guard (document?.revision ?? 0) == revision else { return nil }
            let next = StoredRoleDocument(text: text, revision: revision + 1)
            document = next
            return next
        }
        guard let stored else { throw PolicyDocumentStoreError(.conflict, "Other roles are stored") }
        return stored
    }
}
