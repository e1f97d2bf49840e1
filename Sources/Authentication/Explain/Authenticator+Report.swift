// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension Authenticator {
    /// Tells which credential a request holds and how it is checked. For explanations only: it costs a second check, and changes and counts
    /// nothing.
    package func report(
        _ request: AuthenticationRequest, realm: AuthenticationRealm, now: Timestamp
    ) -> CredentialReport {
        let mode = Explanation(
            .host, "mode \(realm.mode.rawValue), a credential is \(isEnforcing(realm) ? "" : "not ")needed")
        var report: CredentialReport
        switch extract(request) {
        case .none: report = CredentialReport(explanation: Self.without(request))
        case .refused(let refusal): report = CredentialReport(explanation: Self.unusable(refusal))
        case .found(let credential): report = self.report(credential, request, realm, now)
        }
        report.explanation = mode.adding(report.explanation)
        return report
    }

    /// Tells how often the client's address has failed, and from when it is blocked.
    package func failureReport(_ request: AuthenticationRequest, now: Timestamp) -> Explanation {
        guard let address = request.client.address else {
            return Explanation(.asker, "the client's address is not known: no limit by address")
        }
        guard let checked = request.client.checkedAddress else {
            return Explanation(.installation, "\(address) is a trusted proxy: never counted, never blocked")
        }
        guard let standing = limiter.failures(of: checked, now: now) else {
            return Explanation(.installation, "failures are not limited by address")
        }
        let window = "of \(standing.limit) in \(standing.intervalSeconds) s"
        var result = Explanation(.installation, "\(address): \(standing.count) failures \(window)")
        guard let wait = standing.retryAfterSeconds else { return result }
        result.say(.asker, "blocked for another \(wait) s")
        result.mend(.asker, "Wait \(wait) s, and stop the client that sends bad credentials from this address.")
        result.mend(.installation, "Or let it back in: DELETE /v1/admin/auth-blocks?key=\(standing.key)")
        return result
    }

    private func report(
        _ credential: Credential, _ request: AuthenticationRequest, _ realm: AuthenticationRealm, _ now: Timestamp
    ) -> CredentialReport {
        let place = Self.place(credential.source)
        func report(_ kind: String, _ explanation: Explanation) -> CredentialReport {
            CredentialReport(explanation: Explanation(.asker, "\(kind) \(place)").adding(explanation))
        }
        if credential.source == .certificate {
            return report("client certificate", Self.certificate(credential, realm))
        }
        let text = credential.text.revealed
        switch TokenText.read(text, prefixes: prefixes) {
        case .malformed(let kind):
            let stored = StoredTokenReport(kind: kind, now: now, address: request.client.address)
            return report(Self.noun(kind), stored.malformed())
        case .wellFormed(let kind, let id):
            var found = self.report(text, kind, id, request, realm, now)
            found.explanation = Explanation(.asker, "\(Self.noun(kind)) \(place)").adding(found.explanation)
            return found
        case .otherKind: break
        }
        if text.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 {
            let certificate = request.clientCertificate.flatMap { ForwardedCertificate.parse($0) }
            var found =
                reviewReport(text, request, realm, now)
                ?? jwt.report(
                    text, issuers: realm.issuers, certificateThumbprint: certificate?.thumbprint, now: now)
            found.explanation = Explanation(.asker, "signed token (JWT) \(place)").adding(found.explanation)
            return found
        }
        return report("opaque token", configured(text))
    }

    private func report(
        _ text: String, _ kind: TokenText.Kind, _ id: String, _ request: AuthenticationRequest,
        _ realm: AuthenticationRealm, _ now: Timestamp
    ) -> CredentialReport {
        let stored = StoredTokenReport(kind: kind, now: now, address: request.client.address)
        let isAccepted = kind == .apiKey ? realm.apiKeys : realm.serviceTokens
        guard isAccepted else { return CredentialReport(explanation: stored.switchedOff()) }
        guard isStoreFresh(kind, at: now) else { return CredentialReport(explanation: stored.stale()) }
        guard let facts = provedFacts(text, kind, id, request.accounts) else {
            return CredentialReport(explanation: stored.unproved(id: id))
        }
        return CredentialReport(explanation: stored.proved(facts), holder: .tenant(facts.tenant))
    }

    private func isStoreFresh(_ kind: TokenText.Kind, at now: Timestamp) -> Bool {
        kind == .apiKey ? keys.isFresh(at: now) : tokens.isFresh(at: now)
    }

    /// What is known of a stored token whose secret is right.
    private func provedFacts(
        _ text: String, _ kind: TokenText.Kind, _ id: String, _ accounts: (any AccountStanding)?
    ) -> StoredTokenFacts? {
        kind == .apiKey ? keyFacts(text, id, accounts) : tokenFacts(text, id, accounts)
    }

    private func keyFacts(_ text: String, _ id: String, _ accounts: (any AccountStanding)?) -> StoredTokenFacts? {
        guard let record = keys.entry(id)?.record, SecretDigest(of: text).matches(record.secretDigest) else {
            return nil
        }
        return StoredTokenFacts(
            identifier: record.id, family: record.family, tenant: record.tenantID, account: record.accountID,
            isSuspended: accounts?.isSuspended(record.accountID) ?? false, expiresAt: record.expiresAt,
            revokedAt: record.revokedAt, rotatedTo: record.rotatedTo, allowedCIDRs: record.allowedCIDRs)
    }

    private func tokenFacts(_ text: String, _ id: String, _ accounts: (any AccountStanding)?) -> StoredTokenFacts? {
        guard let record = tokens.entry(id)?.record, SecretDigest(of: text).matches(record.secretDigest) else {
            return nil
        }
        let isSuspended = record.tenantID.map { accounts?.isSuspended($0) ?? false } ?? false
        return StoredTokenFacts(
            identifier: record.identifier, family: record.family, tenant: record.tenantID,
            isSuspended: isSuspended, expiresAt: record.expiresAt, revokedAt: record.revokedAt,
            rotatedTo: record.rotatedTo,
            allowedCIDRs: record.allowedCIDRs)
    }

    private func configured(_ text: String) -> Explanation {
        let digest = SecretDigest(of: text)
        if digest.matches(admin?.digest ?? .dummy), admin != nil {
            return Explanation(.installation, "it is the admin token")
        }
        if digest.matches(bootstrap?.digest ?? .dummy), bootstrap != nil {
            var result = Explanation(.installation, "it is the bootstrap token")
            result.mend(.installation, nil)
            return result
        }
        var result = Explanation(.asker, "compared with the admin and the bootstrap token: neither")
        result.mend(
            .asker,
            "Send a service token (tgs_…), an API key or a JWT of an accepted issuer; `tollgate token create` makes a service token."
        )
        return result
    }

    private static func certificate(_ credential: Credential, _ realm: AuthenticationRealm) -> Explanation {
        guard let policy = realm.clientCertificates else {
            var result = Explanation(.host, "this AuthConfig takes no client certificates")
            result.mend(.host, "Set spec.clientCertificates.enabled of the AuthConfig, or send a token.")
            return result
        }
        guard let certificate = ForwardedCertificate.parse(credential.text.revealed) else {
            var result = Explanation(.asker, "the header that describes the certificate cannot be read")
            result.mend(.asker, "Have the proxy write X-Forwarded-Client-Cert with Hash and URI, DNS or Subject.")
            return result
        }
        var result = Explanation(.asker, "it names \(CredentialReport.shown(certificate.name))")
        guard ASCII.lowercased(certificate.name).hasPrefix("spiffe:") else { return result }
        let domains = CredentialReport.list(policy.trustDomains.sorted())
        let identifier = SPIFFEIdentifier(certificate.name)
        let isTrusted = identifier.map { policy.trustDomains.contains($0.trustDomain) } ?? false
        result.say(.host, "trust domain \(isTrusted ? "is" : "is not") one of: \(domains)")
        guard !isTrusted else { return result }
        result.mend(.host, "Add the trust domain to spec.clientCertificates.trustDomains of the AuthConfig.")
        return result
    }

    private static func without(_ request: AuthenticationRequest) -> Explanation {
        var result = Explanation(.asker, "no credential: neither X-API-Key nor Authorization nor a client certificate")
        if case .workload(publicRoute: true) = request.surface { return result }
        result.mend(.asker, "Send a credential: Authorization: Bearer <token>, or X-API-Key: <key>.")
        return result
    }

    /// The first source that is present cannot be used.
    private static func unusable(_ refusal: Refusal) -> Explanation {
        let (said, mend): (String, String)
        switch refusal.code {
        case .requestDuplicateHeader:
            (said, mend) = ("a credential header comes twice", "Send Authorization and X-API-Key once each.")
        case .authInvalidScheme:
            (said, mend) = (
                "Authorization is not `Bearer` and one token", "Send Authorization: Bearer <token>, nothing else in it."
            )
        case .authMissingToken:
            (said, mend) = ("Authorization says Bearer and holds no token", "Send Authorization: Bearer <token>.")
        default:
            (said, mend) = (
                "the first credential that is present is empty, over \(TokenText.maximumBytes) bytes, or no stored token in X-API-Key",
                "Send tokens in Authorization: Bearer; X-API-Key takes API keys and service tokens only."
            )
        }
        var result = Explanation(.asker, said)
        result.mend(.asker, mend)
        return result
    }

    private static func noun(_ kind: TokenText.Kind) -> String { kind == .apiKey ? "API key" : "service token" }

    private static func place(_ source: Credential.Source) -> String {
        switch source {
        case .authorization: "in Authorization"
        case .apiKeyHeader: "in X-API-Key"
        case .webSocketProtocol: "in Sec-WebSocket-Protocol"
        case .query: "in the query of a WebSocket upgrade"
        case .certificate: "from the trusted proxy"
        case .described: "given beside the request"
        case .session: "in the session"
        }
    }
}
