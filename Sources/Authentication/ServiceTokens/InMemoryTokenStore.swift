// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// A store that forgets everything when the process ends.
package final class InMemoryTokenStore: ServiceTokenStore {
    private let records = Mutex<[String: ServiceTokenRecord]>([:])

    /// An empty store.
    package init() {}

    package func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] {
        records.withLock { records in
            switch selection {
            case .all: Array(records.values)
            case .identifiers(let identifiers): Set(identifiers).compactMap { records[$0] }
            case .family(let family): records.values.filter { $0.family == family }
            }
        }
    }

    package func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) {
        let fault = records.withLock { records -> ServiceTokenStoreError? in
            var next = records
            for change in changes {
                switch change {
                case .insert(let record):
                    guard next[record.identifier] == nil else {
                        return ServiceTokenStoreError(.identifierInUse, record.identifier)
                    }
                    next[record.identifier] = record
                case .update(var record):
                    guard let old = next[record.identifier] else {
                        return ServiceTokenStoreError(.notFound, record.identifier)
                    }
                    guard old.revision == record.revision - 1 else {
                        return ServiceTokenStoreError(.conflict, record.identifier)
                    }
                    record.useCount = old.useCount
                    record.lastUsedAt = old.lastUsedAt
                    next[record.identifier] = record
                }
            }
            records = next
            return nil
        }
        if let fault { throw fault }
    }

    package func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) {
        records.withLock { records in
            for use in uses {
                guard var record = records[use.identifier] else { continue }
                record.useCount = record.useCount.addingSaturated(use.count)
                record.lastUsedAt = use.lastUsedAt
                records[use.identifier] = record
            }
        }
    }

    package func ping() async throws(ServiceTokenStoreError) {}
}
