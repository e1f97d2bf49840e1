// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Synchronization

/// A store in memory that counts its writes and can be taken away.
final class FlakyTokenStore: ServiceTokenStore {
    private let inner = InMemoryTokenStore()
    private let state = Mutex((writes: 0, isAway: false))

    var writes: Int { state.withLock { $0.writes } }

    func goAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] {
        if state.withLock({ $0.isAway }) { throw ServiceTokenStoreError(.unavailable, "away") }
        return try await inner.serviceTokens(selection)
    }

    func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) {
        let isAway = state.withLock { state in
            if !state.isAway { state.writes += 1 }
            return state.isAway
        }
        if isAway { throw ServiceTokenStoreError(.unavailable, "away") }
        try await inner.write(changes)
    }

    func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) { try await inner.addUses(uses) }

    func ping() async throws(ServiceTokenStoreError) {}
}
