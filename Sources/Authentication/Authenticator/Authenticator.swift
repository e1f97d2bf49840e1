// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging

/// Finds out who is asking: the first credential of a request, believed or refused, and what that means in the mode of the place.
package final class Authenticator: Sendable {
    let admin: AdminCredential?
    let bootstrap: BootstrapCredential?
    let tokens: ServiceTokenTable
    let keys: APIKeyTable
    let jwt: JWTVerifier
    let limiter: FailureLimiter
    let prefixes: TokenPrefixes
    let reviews: TokenReviews?
    private let anyGlobalCredential: Bool
    private let metrics: AuthenticationMetrics
    private let logger: Logger
    private let bootstrapWarning = WarningThrottle()
    private let proxyWarning = WarningThrottle()

    /// - Parameters:
    ///   - anyGlobalCredential: whether the settings configure a credential besides admin and bootstrap token: issuers, client CA.
    ///   - reviews: asks the cluster about its tokens; nil where there is none.
    package init(
        admin: AdminCredential?, bootstrap: BootstrapCredential?, tokens: ServiceTokenTable,
        keys: APIKeyTable = APIKeyTable(), jwt: JWTVerifier, limiter: FailureLimiter, prefixes: TokenPrefixes,
        reviews: TokenReviews? = nil, anyGlobalCredential: Bool, metrics: AuthenticationMetrics,
        logger: Logger
    ) {
        self.admin = admin
        self.bootstrap = bootstrap
        self.tokens = tokens
        self.keys = keys
        self.jwt = jwt
        self.limiter = limiter
        self.prefixes = prefixes
        self.reviews = reviews
        self.anyGlobalCredential = anyGlobalCredential
        self.metrics = metrics
        self.logger = logger
    }

    /// Whether a credential is needed for workloads of the realm.
    package func isEnforcing(_ realm: AuthenticationRealm) -> Bool {
        switch realm.mode {
        case .disabled: false
        case .required: true
        case .optional:
            anyGlobalCredential || realm.hasCredentials || bootstrap != nil || !(admin?.isGenerated ?? true)
                || tokens.count > 0 || keys.count > 0 || !realm.issuers.entries.isEmpty
                || realm.clientCertificates != nil || realm.tokenReview != nil
        }
    }

    /// Whether the address of the client is blocked. Asked before `authenticate`.
    ///
    /// - Returns: `auth.rate_limited.ip`; nil in mode `disabled` and on public routes without a credential.
    package func addressRefusal(
        _ request: AuthenticationRequest, realm: AuthenticationRealm, now: Timestamp
    ) -> Refusal? {
        guard let address = request.client.checkedAddress, let refusal = limiter.check(address: address, now: now)
        else {
            return nil
        }
        if case .workload(let isPublic) = request.surface {
            if realm.mode == .disabled { return nil }
            if isPublic, case .none = extract(request) { return nil }
        }
        if !request.client.isDryRun { metrics.blockedAddress() }
        return refusal
    }

    /// Authenticates a request. Never waits: where the cluster has to be asked first, the result says so.
    ///
    /// - Returns: a principal, which may be the anonymous one, or a refusal with 400, 401, 403, 429 or 503.
    package func authenticate(
        _ request: AuthenticationRequest, realm: AuthenticationRealm, now: Timestamp
    ) -> AuthenticationResult {
        let enforcing = request.surface == .ownAPI || isEnforcing(realm)
        let credential: Credential
        switch extract(request) {
        case .none:
            return withoutCredential(request, enforcing: enforcing)
        case .refused(let refusal):
            return failed(refusal, identity: nil, source: nil, request, realm, enforcing, now)
        case .found(let found): credential = found
        }
        switch ofSession(verify(credential, request, realm, now), credential) {
        case .verified(let principal):
            if !request.client.isDryRun { metrics.succeeded(credential.source) }
            return AuthenticationResult(
                verdict: .principal(principal), source: credential.source, enforcing: enforcing, detail: "verified")
        case .refused(let refusal, let identity):
            return failed(refusal, identity: identity, source: credential.source, request, realm, enforcing, now)
        case .needsReview(let pending):
            return AuthenticationResult(
                verdict: .refusal(Refusal(.authReviewUnavailable, retryAfterSeconds: 1)), source: credential.source,
                enforcing: enforcing, detail: "the cluster has to be asked", pendingReview: pending)
        }
    }

    private func withoutCredential(_ request: AuthenticationRequest, enforcing: Bool) -> AuthenticationResult {
        if enforcing, request.surface != .workload(publicRoute: true) {
            if !request.client.isDryRun { metrics.failed(nil, .authMissingToken) }
            return AuthenticationResult(
                verdict: .refusal(Refusal(.authMissingToken)), source: nil, enforcing: enforcing,
                detail: "no credential")
        }
        if !request.client.isDryRun { metrics.succeeded(nil) }
        return AuthenticationResult(
            verdict: .principal(.anonymous), source: nil, enforcing: enforcing, detail: "no credential")
    }

    func extract(_ request: AuthenticationRequest) -> CredentialExtraction {
        if let text = request.describedCredential {
            let trimmed = ASCII.trimmed(text)
            guard !trimmed.isEmpty, trimmed.utf8.count <= TokenText.maximumBytes else {
                return .refused(Refusal(.authInvalidToken))
            }
            return .found(Credential(source: .described, text: trimmed))
        }
        var found = CredentialExtractor.extract(
            headers: request.headers, query: nil, isWebSocketUpgrade: false, prefixes: prefixes)
        // Most requests are no upgrades and have their credential in a header, so that question comes last.
        if case .none = found, CredentialExtractor.isWebSocketUpgrade(method: request.method, headers: request.headers)
        {
            found = CredentialExtractor.extract(
                headers: request.headers, query: request.query, isWebSocketUpgrade: true, prefixes: prefixes)
        }
        if case .none = found, let credential = request.sessionCredential {
            return .found(Credential(source: .session, text: credential.revealed))
        }
        if case .none = found, let certificate = request.clientCertificate {
            return .found(Credential(source: .certificate, text: certificate))
        }
        return found
    }
}

// MARK: - Believing

extension Authenticator {
    private func verify(
        _ credential: Credential, _ request: AuthenticationRequest, _ realm: AuthenticationRealm, _ now: Timestamp
    ) -> AuthenticationOutcome {
        if credential.source == .certificate { return noted(verifyCertificate(credential, realm), request) }
        var text = credential.text.revealed
        let stored: AuthenticationOutcome? = text.withUTF8 { bytes in
            switch TokenText.read(bytes, prefixes: prefixes) {
            case .otherKind: nil
            case .malformed: .refused(Refusal(.authInvalidToken), identity: nil)
            case .wellFormed(.serviceToken, let id):
                realm.serviceTokens
                    ? noted(verifyStored(bytes, id, request, now), request)
                    : .refused(Refusal(.authInvalidToken), identity: nil)
            case .wellFormed(.apiKey, let id):
                realm.apiKeys
                    ? verifyKey(bytes, id, request, now) : .refused(Refusal(.authInvalidToken), identity: nil)
            }
        }
        if let stored { return stored }
        if text.withUTF8(Self.hasTwoDots) {
            return noted(verifySigned(text, request, realm, now), request)
        }
        return verifyConfigured(text, request, now)
    }

    /// Whether the text has the shape of a signed token. A loop over bytes, because such texts are long and every request counts them.
    private static func hasTwoDots(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var dots = 0
        for index in 0..<text.count where text[index] == UInt8(ascii: ".") { dots += 1 }
        return dots == 2
    }

    /// Takes notice of the roles that a verified caller has now: whoever owns keys gives them to the keys.
    private func noted(_ outcome: AuthenticationOutcome, _ request: AuthenticationRequest) -> AuthenticationOutcome {
        if case .verified(let principal) = outcome, !request.client.isDryRun { keys.note(principal) }
        return outcome
    }

    private func verifyConfigured(
        _ text: String, _ request: AuthenticationRequest, _ now: Timestamp
    ) -> AuthenticationOutcome {
        let digest = SecretDigest(of: text)
        // Both are always compared, so that the time says nothing about which one was nearly right.
        let isAdmin = digest.matches(admin?.digest ?? .dummy)
        let isBootstrap = digest.matches(bootstrap?.digest ?? .dummy)
        if isAdmin, let admin { return .verified(admin.principal) }
        guard isBootstrap, let bootstrap else { return .refused(Refusal(.authInvalidToken), identity: nil) }
        let outcome = bootstrap.outcome(now: now, adminPermissions: request.adminPermissions) {
            tokens.hasActiveMinter(at: now)
        }
        if case .verified = outcome, !request.client.isDryRun {
            metrics.usedBootstrap()
            if bootstrapWarning.allows(at: now) {
                logger.warning("The bootstrap token was used: make service tokens and take it out of the settings")
            }
        }
        return outcome
    }

    private func verifyCertificate(_ credential: Credential, _ realm: AuthenticationRealm) -> AuthenticationOutcome {
        guard let policy = realm.clientCertificates,
            let certificate = ForwardedCertificate.parse(credential.text.revealed)
        else { return .refused(Refusal(.authInvalidCertificate), identity: nil) }
        return policy.principal(of: certificate, mappings: realm.mappings)
    }
}

// MARK: - Failing

extension Authenticator {
    private func failed(
        _ refusal: Refusal, identity: String?, source: Credential.Source?, _ request: AuthenticationRequest,
        _ realm: AuthenticationRealm, _ enforcing: Bool, _ now: Timestamp
    ) -> AuthenticationResult {
        var answer = refusal
        var blocks: [FailureBlock] = []
        let isWorkload = request.surface != .ownAPI
        if !(isWorkload && realm.mode == .disabled), Self.isFailure(refusal) {
            let counts = !request.client.isDryRun
            if let identity {
                if let blocked = limiter.check(identity: identity, now: now) {
                    answer = blocked
                } else if counts, let block = limiter.record(identity: identity, now: now) {
                    blocks.append(block)
                }
            }
            if counts, let block = countAddress(request.client, now) { blocks.append(block) }
            if counts, let asker = request.client.asker, let block = limiter.record(identity: asker, now: now) {
                blocks.append(block)
            }
        }
        if !request.client.isDryRun { metrics.failed(source, answer.code) }
        var result = AuthenticationResult(
            verdict: .refusal(answer), source: source, enforcing: enforcing, detail: answer.code.rawValue,
            credentialRefusal: answer, newBlocks: blocks)
        // A request that is itself malformed stays refused; nothing else is worse than presenting nothing.
        if isWorkload, refusal.status != 400,
            realm.mode == .disabled || request.surface == .workload(publicRoute: true)
        {
            result.verdict = .principal(.anonymous)
        }
        return result
    }

    /// A presented credential that was refused with 401, but for what says nothing about guessing.
    private static func isFailure(_ refusal: Refusal) -> Bool {
        guard refusal.status == 401 else { return false }
        switch refusal.code {
        case .authMissingToken, .authInvalidScheme, .authSessionExpired: return false
        default: return true
        }
    }

    private func countAddress(_ client: ClientContext, _ now: Timestamp) -> FailureBlock? {
        if client.isTrustedProxy, client.countsFailures {
            metrics.sparedTrustedProxy()
            if proxyWarning.allows(at: now) {
                logger.warning(
                    "A failed authentication came from a trusted proxy itself: it sends no client address, so nobody is limited",
                    metadata: [LogKeys.address: .string(client.address?.description ?? "unknown")])
            }
        }
        return client.limitedAddress.flatMap { limiter.record(address: $0, now: now) }
    }
}
