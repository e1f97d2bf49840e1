// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// A store that forgets everything when the process ends.
package final class InMemoryAPIKeyStore: APIKeyStore {
    private struct State: Sendable {
        var records: [String: APIKeyRecord] = [:]
        var owners: [APIKeyOwner.Identity: [String]] = [:]
        var usage: [Place: APIKeyUsageRow] = [:]
    }

    private struct Place: Hashable {
        let id: String
        let hour: Int64
        let status: Int
    }

    private let state = Mutex(State())

    /// An empty store.
    package init() {}

    package func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner]) {
        state.withLock { state in
            (Array(state.records.values), state.owners.map { APIKeyOwner(identity: $0.key, roles: $0.value) })
        }
    }

    package func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord] {
        state.withLock { state in
            switch selection {
            case .all: Array(state.records.values)
            case .identifiers(let ids): Set(ids).compactMap { state.records[$0] }
            case .family(let family): state.records.values.filter { $0.family == family }
            }
        }
    }

    package func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner] {
        state.withLock { state in
            Set(identities).compactMap { identity in
                state.owners[identity].map { APIKeyOwner(identity: identity, roles: $0) }
            }
        }
    }

    package func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError) {
        let fault = state.withLock { state -> APIKeyStoreError? in
            if let limit {
                let current = Self.active(limit, in: state)
                if current >= limit.limit {
                    return APIKeyStoreError(.limitReached(current: current), "The account has \(current) active keys")
                }
            }
            var next = state
            for change in changes { if let fault = Self.apply(change, to: &next) { return fault } }
            state = next
            return nil
        }
        if let fault { throw fault }
    }

    private static func active(_ limit: APIKeyLimit, in state: State) -> Int64 {
        Int64(
            state.records.values.count {
                $0.accountID.isExactly(limit.accountID) && $0.tenantID == limit.tenantID
                    && $0.status(at: limit.now) == .active
            })
    }

    private static func apply(_ change: APIKeyChange, to state: inout State) -> APIKeyStoreError? {
        switch change {
        case .insert(let record):
            guard state.records[record.id] == nil else { return APIKeyStoreError(.idInUse, record.id) }
            state.records[record.id] = record
        case .update(var record):
            guard let old = state.records[record.id] else { return APIKeyStoreError(.notFound, record.id) }
            guard old.revision == record.revision - 1 else { return APIKeyStoreError(.conflict, record.id) }
            record.useCount = old.useCount
            record.lastUsedAt = old.lastUsedAt
            state.records[record.id] = record
        case .owner(let owner): state.owners[owner.identity] = owner.roles
        }
        return nil
    }

    package func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError) {
        state.withLock { state in
            for use in uses {
                guard var record = state.records[use.identifier] else { continue }
                record.useCount = record.useCount.addingSaturated(use.count)
                record.lastUsedAt = use.lastUsedAt
                state.records[use.identifier] = record
            }
        }
    }

    package func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError) {
        state.withLock { state in
            for row in rows {
                let place = Place(id: row.id, hour: row.hour, status: row.status)
                var sum = row
                sum.requests = row.requests.addingSaturated(state.usage[place]?.requests ?? 0)
                state.usage[place] = sum
            }
        }
    }

    package func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow] {
        state.withLock { state in
            state.usage.values.filter { $0.id == id && hours.contains($0.hour) }
                .sorted { ($0.hour, $0.status) < ($1.hour, $1.status) }
        }
    }

    package func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool {
        state.withLock { state in state.usage = state.usage.filter { $0.value.hour >= hour } }
        return false
    }

    package func ping() async throws(APIKeyStoreError) {}
}
