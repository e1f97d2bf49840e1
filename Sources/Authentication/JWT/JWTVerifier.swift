// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Decides whether a signed token is good, in the order of checks that the reference documents; the first fault answers.
///
/// It never waits: keys are what `RemoteKeySets` holds at this moment. Tokens that were found good are remembered until their end, until their
/// issuer entry changes or until their key set does; refusals are never remembered.
package final class JWTVerifier: Sendable {
    let remoteKeys: RemoteKeySets
    private let cache: VerifiedTokenCache

    /// A verifier that remembers at most `cacheCapacity` good tokens.
    package init(remoteKeys: RemoteKeySets, cacheCapacity: Int = 100_000) {
        self.remoteKeys = remoteKeys
        cache = VerifiedTokenCache(capacity: cacheCapacity)
    }

    /// How many good tokens are remembered.
    package var rememberedTokens: Int { cache.count }

    /// Checks a token.
    ///
    /// - Parameter certificateThumbprint: the SHA-256 of the client's certificate in base64url, when it showed one.
    /// - Returns: the principal, or a refusal with `auth.invalid_token`, `auth.unsupported_algorithm`, `auth.invalid_issuer`,
    ///   `auth.key_unavailable`, `auth.token_expired`, `auth.invalid_audience` or `auth.tenant_mismatch`. Once the signature held, the refusal
    ///   names issuer and subject (`FailureIdentity`).
    package func verify(
        _ text: String, issuers: IssuerTable, certificateThumbprint: String?, now: Timestamp
    ) -> AuthenticationOutcome {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count <= CompactToken.maximumTextBytes else {
                return .refused(Refusal(.authInvalidToken), identity: nil)
            }
            let key = VerifiedTokenCache.Key(
                text: Fingerprint(of: UnsafeRawBufferPointer(bytes)), table: issuers.fingerprint)
            if let known = cache.entry(key, now: now, certificateThumbprint: certificateThumbprint) {
                return .verified(known.principal)
            }
            return check(bytes, key, issuers, certificateThumbprint, now)
        }
    }

    private func check(
        _ bytes: UnsafeBufferPointer<UInt8>, _ key: VerifiedTokenCache.Key, _ issuers: IssuerTable,
        _ certificateThumbprint: String?, _ now: Timestamp
    ) -> AuthenticationOutcome {
        var identity: String?
        do throws(Refusal) {
            let token = try CompactToken(text: bytes)
            let issuer = try Self.entry(for: token, in: issuers)
            let keySet = try proveSignature(of: token, issuer, now)
            identity = ClaimsMapper.subject(of: token.claims).map {
                FailureIdentity.key(issuer: token.claims["iss"]?.stringValue, subject: $0)
            }
            let checks = ClaimChecks(entry: issuer.entry, certificateThumbprint: certificateThumbprint, now: now)
            let end = try checks.check(token.claims)
            let principal = try ClaimsMapper.principal(
                claims: token.claims, entry: issuer.entry, mappings: issuers.mappings)
            let entry = VerifiedTokenCache.Entry(
                principal: principal, end: end, thumbprint: token.claims["cnf"]?["x5t#S256"]?.stringValue,
                keySet: keySet)
            cache.insert(entry, for: key)
            return .verified(principal)
        } catch {
            return .refused(error, identity: identity)
        }
    }

    /// Steps 3 and 4.
    private static func entry(
        for token: CompactToken, in issuers: IssuerTable
    ) throws(Refusal) -> IssuerTable.Compiled {
        let issuer: String?
        switch token.claims["iss"] {
        case nil: issuer = nil
        case .string(let text): issuer = text
        default: throw Refusal(.authInvalidToken)
        }
        guard let entry = issuers.entry(issuer: issuer) else {
            throw Refusal(issuer == nil || issuers.entries.isEmpty ? .authInvalidToken : .authInvalidIssuer)
        }
        guard entry.entry.algorithms.contains(token.algorithm) else { throw Refusal(.authUnsupportedAlgorithm) }
        return entry
    }

    /// Steps 5 and 6.
    ///
    /// - Returns: the fetched set whose key proved it, nil for keys of the entry itself.
    private func proveSignature(
        of token: CompactToken, _ issuer: IssuerTable.Compiled, _ now: Timestamp
    ) throws(Refusal) -> (slot: RemoteKeySlot, version: Fingerprint)? {
        guard !token.algorithm.usesSharedSecret else {
            guard issuer.secret != nil || !issuer.entry.isSecretWithheld else {
                throw Refusal(
                    .authKeyUnavailable, message: "The shared secret of the issuer is kept where the operator is",
                    retryAfterSeconds: 1)
            }
            let isGood =
                issuer.secret?.verifies(token.signature, over: token.signedBytes, algorithm: token.algorithm) ?? false
            guard isGood else { throw Refusal(.authInvalidToken) }
            return nil
        }
        let keyID: String?
        switch token.keyID {
        case .absent: keyID = nil
        case .named(let name): keyID = name
        case .unusable: throw Refusal(.authInvalidToken)
        }
        let found = try signingKey(token.algorithm, keyID: keyID, issuer.entry, now)
        guard found.key.verifies(token.signature, over: token.signedBytes, algorithm: token.algorithm) else {
            throw Refusal(.authInvalidToken)
        }
        return found.keySet
    }

    private func signingKey(
        _ algorithm: SignatureAlgorithm, keyID: String?, _ entry: IssuerEntry, _ now: Timestamp
    ) throws(Refusal) -> (key: PublicKey, keySet: (slot: RemoteKeySlot, version: Fingerprint)?) {
        let given = entry.staticKeys?.candidates(algorithm: algorithm, keyID: keyID) ?? []
        if let first = given.first {
            guard given.count == 1 else { throw Refusal(.authInvalidToken) }
            return (first.publicKey, nil)
        }
        guard let source = entry.remote else { throw Refusal(.authInvalidToken) }
        guard let slot = remoteKeys.slot(for: source), let keys = slot.keys(now: now) else {
            throw Refusal(.authKeyUnavailable, retryAfterSeconds: 1)
        }
        let fetched = keys.candidates(algorithm: algorithm, keyID: keyID)
        if let first = fetched.first {
            guard fetched.count == 1 else { throw Refusal(.authInvalidToken) }
            return (first.publicKey, (slot, keys.version))
        }
        let isKnown = keyID.map { keys.knows(keyID: $0) || entry.staticKeys?.knows(keyID: $0) ?? false } ?? true
        guard !isKnown, remoteKeys.missesKey(in: slot, now: now) == .mayAppear else {
            throw Refusal(.authInvalidToken)
        }
        throw Refusal(.authKeyUnavailable, retryAfterSeconds: 1)
    }
}
