// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication

/// Where a sidecar's service tokens are: with its operator. Nothing is made or changed here; uses are handed on.
struct UpstreamTokenStore: ServiceTokenStore {
    let report: UpstreamUsage

    /// None: they come with the operator's document.
    func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] { [] }

    func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) {
        throw ServiceTokenStoreError(
            .unavailable, "Service tokens are made and changed at the operator, not at a sidecar")
    }

    func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) {
        guard await report.hand(tokenUses: uses) else {
            throw ServiceTokenStoreError(.unavailable, "The operator does not take the uses of tokens")
        }
    }

    func ping() async throws(ServiceTokenStoreError) {}
}

/// Where a sidecar's API keys are: with its operator.
struct UpstreamKeyStore: APIKeyStore {
    let report: UpstreamUsage

    /// None: they come with the operator's document.
    func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner]) { ([], []) }

    func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord] { [] }

    func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner] { [] }

    func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError) {
        // Roles that a caller showed here are known to the operator by itself, sooner or later.
        let isOnlyOwners = changes.allSatisfy { change in
            if case .owner = change { return true }
            return false
        }
        guard isOnlyOwners, limit == nil else {
            throw APIKeyStoreError(.unavailable, "API keys are made and changed at the operator, not at a sidecar")
        }
    }

    func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError) {
        guard await report.hand(keyUses: uses) else {
            throw APIKeyStoreError(.unavailable, "The operator does not take the uses of keys")
        }
    }

    func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError) {
        guard await report.hand(keyUsage: rows) else {
            throw APIKeyStoreError(.unavailable, "The operator does not take the counts of requests")
        }
    }

    func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow] {
        throw APIKeyStoreError(.unavailable, "The counts of requests are at the operator")
    }

    func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool { false }

    func ping() async throws(APIKeyStoreError) {}
}
