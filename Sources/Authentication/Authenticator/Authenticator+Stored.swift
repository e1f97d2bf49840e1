// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// MARK: - Stored credentials

/// What is asked about a stored credential once its text is known to be right, in this order.
private struct StoredStanding {
    let isRevoked: Bool
    let expiresAt: Timestamp?
    let account: String?
    let allowed: [CIDR]
    let isLimitedToAddresses: Bool

    /// - Parameter name: what a person calls the kind of credential.
    @inline(__always)
    func refusal(_ name: StaticString, _ request: AuthenticationRequest, now: Timestamp) -> Refusal? {
        if isRevoked { return Refusal(.authTokenRevoked, message: "\(name) has been revoked") }
        if let expiresAt, now >= expiresAt {
            return Refusal(.authTokenExpired, message: "\(name) has expired")
        }
        if let account, let accounts = request.accounts, accounts.isSuspended(account) {
            return Refusal(.authAccountSuspended)
        }
        guard isLimitedToAddresses else { return nil }
        guard let address = request.client.address, allowed.contains(where: { $0.contains(address) }) else {
            return Refusal(.authIPForbidden)
        }
        return nil
    }
}

extension Authenticator {
    func verifyStored(
        _ text: UnsafeBufferPointer<UInt8>, _ id: String, _ request: AuthenticationRequest, _ now: Timestamp
    ) -> AuthenticationOutcome {
        guard tokens.isFresh(at: now) else { return Self.storeUnavailable }
        let entry = tokens.entry(id)
        // An unknown id takes as long as a wrong secret.
        let matches = SecretDigest(of: text).matches(entry?.record.secretDigest ?? .dummy)
        guard let entry, matches else { return .refused(Refusal(.authInvalidToken), identity: id) }
        let standing = StoredStanding(
            isRevoked: entry.record.revokedAt != nil, expiresAt: entry.record.expiresAt,
            account: entry.record.tenantID, allowed: entry.allowed,
            isLimitedToAddresses: !entry.record.allowedCIDRs.isEmpty)
        if let refusal = standing.refusal("Service token", request, now: now) {
            return .refused(refusal, identity: refusal.status == 401 ? id : nil)
        }
        if !request.client.isDryRun { entry.used(at: now, from: request.client.address) }
        return .verified(entry.principal)
    }

    func verifyKey(
        _ text: UnsafeBufferPointer<UInt8>, _ id: String, _ request: AuthenticationRequest, _ now: Timestamp
    ) -> AuthenticationOutcome {
        guard keys.isFresh(at: now) else { return Self.storeUnavailable }
        let entry = keys.entry(id)
        let matches = SecretDigest(of: text).matches(entry?.record.secretDigest ?? .dummy)
        guard let entry, matches else { return .refused(Refusal(.authInvalidToken), identity: id) }
        let standing = StoredStanding(
            isRevoked: entry.record.revokedAt != nil, expiresAt: entry.record.expiresAt,
            account: entry.record.accountID, allowed: entry.allowed,
            isLimitedToAddresses: !entry.record.allowedCIDRs.isEmpty)
        if let refusal = standing.refusal("API key", request, now: now) {
            return .refused(refusal, identity: refusal.status == 401 ? id : nil)
        }
        if !request.client.isDryRun { entry.used(at: now, from: request.client.address) }
        return .verified(entry.principal)
    }

    private static var storeUnavailable: AuthenticationOutcome {
        .refused(Refusal(.authStoreUnavailable, retryAfterSeconds: 1), identity: nil)
    }
}
