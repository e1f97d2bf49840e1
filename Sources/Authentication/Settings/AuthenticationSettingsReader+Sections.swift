// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AuthenticationSettingsReader {
    private static let minimumSecretBytes = 32

    /// Reads everything; what is wrong is in `problems`.
    mutating func settings() -> AuthenticationSettings {
        let prefixes = prefixes()
        let mode = choice("MODE", AuthMode.init(text:), AuthMode.allCases.map(\.rawValue)) ?? .optional
        let admin = configuredToken(raw(Self.name("TOKEN"), "CODETETHER_AUTH_TOKEN"), Self.name("TOKEN"), prefixes)
        let bootstrap = bootstrap(prefixes)
        let backend = choice(
            "SERVICE_TOKEN_BACKEND", { AuthenticationSettings.TokenBackend(rawValue: ASCII.lowercased($0)) },
            AuthenticationSettings.TokenBackend.allCases.map(\.rawValue))
        let timeout = duration(
            Self.name("JWKS_TIMEOUT"), default: .seconds(5), in: .milliseconds(1) ... .seconds(300))
        let keySets = KeySetSettings(
            timeToLiveSeconds: seconds(Self.name("JWKS_CACHE_TTL"), default: 300, in: 0...31_536_000),
            timeout: timeout,
            maxStaleSeconds: seconds(Self.name("JWKS_MAX_STALE"), default: 3600, in: 0...31_536_000))
        let issuers = [globalIssuer(), openIDConnectIssuer()].compactMap(\.self)
        checkIssuers(issuers)
        let (reviews, reviewAudiences) = tokenReview()
        let limits = FailureLimitSettings(
            perAddress: integer(Self.name("RATE_LIMIT_IP"), default: 20, in: 0...100_000),
            perIdentity: integer(Self.name("RATE_LIMIT_IDENTITY"), default: 10, in: 0...100_000),
            intervalSeconds: seconds(Self.name("RATE_LIMIT_INTERVAL"), default: 60, in: 1...86_400),
            maximumKeys: integer(Self.name("RATE_LIMIT_MAX_KEYS"), default: 10_000, in: 1...10_000_000))
        return AuthenticationSettings(
            mode: mode, adminToken: admin, bootstrap: bootstrap, tokenBackend: backend,
            tokenDatabasePath: text(Self.name("SERVICE_TOKEN_DB_PATH")), issuers: issuers,
            tokenReview: reviews, tokenReviewAudiences: reviewAudiences, keySets: keySets,
            limits: limits, trustedProxies: trustedProxies(), egressAllow: set("TOLLGATE_EGRESS_ALLOW") ?? [],
            prefixes: prefixes, warnings: warnings)
    }

    private mutating func choice<Value>(_ suffix: String, _ read: (String) -> Value?, _ values: [String]) -> Value? {
        guard let text = text(Self.name(suffix)) else { return nil }
        guard let value = read(text) else {
            problem(Self.name(suffix), "'\(text)' is not one of \(values.joined(separator: ", "))")
            return nil
        }
        return value
    }

    private mutating func prefixes() -> TokenPrefixes {
        let current = text("TOLLGATE_API_KEY_PREFIX") ?? "tgk"
        let old = set("TOLLGATE_API_KEY_OLD_PREFIXES") ?? []
        for (name, prefix) in [("TOLLGATE_API_KEY_PREFIX", current)]
            + old.map({ ("TOLLGATE_API_KEY_OLD_PREFIXES", $0) })
        where !TokenPrefixes.isValid(prefix) {
            problem(name, "'\(prefix)' is not 2 to 16 characters a-z and 0-9 that begin with a letter, or is tgs")
        }
        return TokenPrefixes(
            apiKey: TokenPrefixes.isValid(current) ? current : "tgk",
            oldAPIKeys: old.filter { TokenPrefixes.isValid($0) && $0 != current })
    }

    private mutating func trustedProxies() -> [CIDR] {
        let name = "TOLLGATE_TRUSTED_PROXIES"
        return (set(name) ?? []).compactMap { text in
            let block = CIDR(text)
            if block == nil { problem(name, "'\(text)' is no address block") }
            return block
        }
    }

    private mutating func tokenReview() -> (policy: TokenReviewPolicy?, audiences: [String]) {
        let isOn = flag(Self.name("TOKEN_REVIEW"))
        let stated = set(Self.name("TOKEN_REVIEW_AUDIENCES"))
        if stated?.isEmpty == true {
            problem(Self.name("TOKEN_REVIEW_AUDIENCES"), "it names no audience: leave it out for tollgate")
        }
        let policy = TokenReviewPolicy(audiences: stated ?? [])
        return (isOn ? policy : nil, policy.audiences)
    }

    /// A token that is compared as it is: blanks around it could never be presented.
    private mutating func configuredToken(
        _ text: String?, _ name: String, _ prefixes: TokenPrefixes
    ) -> Redacted<String>? {
        guard let text = text.map({ ASCII.trimmed($0) }) else { return nil }
        if let fault = ConfiguredToken.fault(in: text, prefixes: prefixes) {
            fault.isFatal ? problem(name, fault.message) : warn(name, fault.message)
        }
        return Redacted(text)
    }

    private mutating func bootstrap(_ prefixes: TokenPrefixes) -> BootstrapSettings? {
        let name = Self.name("BOOTSTRAP_SERVICE_TOKEN")
        let scopesName = Self.name("BOOTSTRAP_TOKEN_SCOPES")
        let token = configuredToken(raw(name), name, prefixes)
        let scopes = set(scopesName)
        if let bad = scopes?.first(where: { !ServiceTokenRules.isScope($0) }) {
            problem(scopesName, "'\(bad)' is not a scope")
        }
        let expiresAt = instant(Self.name("BOOTSTRAP_TOKEN_EXPIRES_AT"))
        let autoDisable = flag(Self.name("BOOTSTRAP_AUTO_DISABLE"))
        return token.map {
            BootstrapSettings(token: $0, scopes: scopes, expiresAt: expiresAt, autoDisable: autoDisable)
        }
    }

    // MARK: - Issuers

    private mutating func globalIssuer() -> IssuerEntry? {
        var entry = IssuerEntry(name: "settings", platform: true)
        entry.secret = jwtSecret()
        entry.staticKeys = staticKeys()
        entry.algorithms = algorithms()
        entry.audiences = set(Self.name("AUDIENCE")) ?? []
        entry.leewaySeconds = seconds(Self.name("JWT_LEEWAY"), default: 30, in: 0...120)
        entry.acceptsIDTokens = flag(Self.name("ACCEPT_ID_TOKENS"))
        entry.roleClients = set(Self.name("ROLE_CLIENTS")) ?? set("KEYCLOAK_CLIENT_ID") ?? []
        entry.issuer = raw(Self.name("ISSUER")).map { ASCII.trimmed($0) }
        let discovered = url(Self.name("OIDC_ISSUER"))
        if let discovered {
            if let issuer = entry.issuer, !issuer.isExactly(discovered) {
                problem(Self.name("ISSUER"), "it differs from TOLLGATE_AUTH_OIDC_ISSUER: set one of them")
            }
            entry.issuer = discovered
            entry.remote = .discovery(issuer: discovered, trust: .settings)
        }
        if let address = url(Self.name("JWKS_URL")) { entry.remote = .jwks(url: address, trust: .settings) }
        let hasKeys = entry.secret != nil || entry.staticKeys != nil || entry.remote != nil
        if !hasKeys, entry.issuer != nil || !entry.audiences.isEmpty {
            warn(
                entry.issuer != nil ? Self.name("ISSUER") : Self.name("AUDIENCE"),
                "it has no effect: there is no key to verify tokens with")
        }
        return hasKeys ? entry : nil
    }

    private mutating func jwtSecret() -> Redacted<[UInt8]>? {
        let name = Self.name("JWT_SECRET")
        let allowsWeak = flag(Self.name("ALLOW_WEAK_SECRET"))
        guard let secret = raw(name) else { return nil }
        if secret.utf8.count < Self.minimumSecretBytes {
            let message = "it is shorter than \(Self.minimumSecretBytes) bytes"
            if allowsWeak {
                warn(name, message + ": tokens signed with it can be forged")
            } else {
                problem(name, message + ": use a longer one, or set TOLLGATE_AUTH_ALLOW_WEAK_SECRET=true")
            }
        }
        return Redacted(Array(secret.utf8))
    }

    private mutating func staticKeys() -> KeySet? {
        let name = raw(Self.name("JWKS")) != nil ? Self.name("JWKS") : Self.name("JWKS_STATIC")
        guard let text = raw(name) else { return nil }
        do throws(KeySetError) {
            let keys = try KeySet(bytes: Array(text.utf8), allowsBareList: true)
            for skipped in keys.problems { warn(name, "a key is skipped: \(skipped)") }
            return keys
        } catch {
            problem(name, "\(error)")
            return nil
        }
    }

    private mutating func algorithms() -> Set<SignatureAlgorithm> {
        let name = Self.name("ALLOWED_ALGORITHMS")
        guard let texts = set(name) else { return SignatureAlgorithm.allowedByDefault }
        var algorithms: Set<SignatureAlgorithm> = []
        for text in texts {
            if let algorithm = SignatureAlgorithm(rawValue: text) {
                algorithms.insert(algorithm)
            } else {
                problem(name, "'\(text)' is not a signature algorithm that is supported")
            }
        }
        if texts.isEmpty { problem(name, "it names no algorithm") }
        return algorithms
    }

    private mutating func openIDConnectIssuer() -> IssuerEntry? {
        guard flag("OIDC_ENABLED") else { return nil }
        let audiences = set("OIDC_AUDIENCE") ?? []
        let address = url("OIDC_JWKS_URI")
        guard raw("OIDC_ISSUER") != nil else {
            problem("OIDC_ISSUER", "OIDC_ENABLED needs it")
            return nil
        }
        guard var issuer = url("OIDC_ISSUER") else { return nil }
        let ending = "/.well-known/openid-configuration"
        if issuer.hasSuffix(ending) { issuer = String(issuer.dropLast(ending.count)) }
        return IssuerEntry(
            name: "oidc", issuer: issuer,
            remote: address.map { .jwks(url: $0, trust: .settings) } ?? .discovery(issuer: issuer, trust: .settings),
            audiences: audiences, roleClients: set(Self.name("ROLE_CLIENTS")) ?? set("KEYCLOAK_CLIENT_ID") ?? [],
            platform: true)
    }

    private mutating func checkIssuers(_ issuers: [IssuerEntry]) {
        guard issuers.count == 2, let first = issuers[0].issuer, let second = issuers[1].issuer,
            first.isExactly(second)
        else { return }
        problem("OIDC_ISSUER", "it is the issuer of TOLLGATE_AUTH_ISSUER as well: set one of them")
    }
}
