// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The settings of authentication. Only their presence is decided here: the authentication target reads their text, so that its rules
/// for texts, instants and sets hold for settings as well.
extension SettingsCatalog {
    static let authentication: [Setting<String>] =
        modes + serviceTokens + jwt + tokenReview + openIDConnect + failureLimits

    private static let modes = [
        auth(
            "MODE", "choice", "optional, required or disabled", default: "optional",
            "Whether requests to workloads need a credential."),
        auth(
            "TOKEN", "secret", "a text", secret: true, also: ["CODETETHER_AUTH_TOKEN"], note: "made at the first start",
            "The admin token."),
        auth("BOOTSTRAP_SERVICE_TOKEN", "secret", "a text", secret: true, "Token for making the first service tokens."),
        auth(
            "BOOTSTRAP_TOKEN_SCOPES", "set", "a list of scopes", note: "all that its job needs",
            "Exactly these scopes for the bootstrap token."),
        auth("BOOTSTRAP_TOKEN_EXPIRES_AT", "instant", "UNIX seconds or ISO 8601", "When the bootstrap token ends."),
        auth(
            "BOOTSTRAP_AUTO_DISABLE", "flag", "true or false", default: "false",
            "Refuses the bootstrap token while a service token can make tokens."),
    ]
    private static let serviceTokens = [
        auth(
            "SERVICE_TOKEN_BACKEND", "choice", "sqlite, postgres or inmemory", note: "the product's store",
            "Where service tokens are kept."),
        auth(
            "SERVICE_TOKEN_DB_PATH", "path", "a path", note: "service_tokens.sqlite beside the store",
            "Database file of a service-token store of its own."),
    ]
    private static let jwt = [
        auth("JWT_SECRET", "secret", "at least 32 bytes", secret: true, "HMAC key of JWTs, raw text."),
        auth("ALLOW_WEAK_SECRET", "flag", "true or false", default: "false", "Accepts a shorter JWT secret. Unsafe."),
        auth("JWKS_URL", "URL", "an https URL", "Key set that is fetched."),
        auth(
            "JWKS", "JSON", "a JWK set", also: ["TOLLGATE_AUTH_JWKS_STATIC", "ORCHEO_AUTH_JWKS_STATIC"],
            "Key set as JSON: {\"keys\":[…]} or a list."),
        auth(
            "JWKS_CACHE_TTL", "duration", "seconds, or 30s, 5m", default: "300", unit: "seconds",
            "How long a fetched key set is fresh."),
        auth(
            "JWKS_TIMEOUT", "duration", "seconds, or 30s, 5m", default: "5.0", unit: "seconds",
            "How long one fetch of a key set may take."),
        auth(
            "JWKS_MAX_STALE", "duration", "seconds, or 30s, 5m", default: "3600", unit: "seconds",
            "How long an old key set is used when no newer one can be had."),
        auth(
            "ALLOWED_ALGORITHMS", "set", "a list of signature algorithms", default: "RS256, HS256",
            "Signature algorithms of JWTs."),
        auth("AUDIENCE", "set", "a list of audiences", "Audiences of which a JWT must name one."),
        auth("ISSUER", "text", "a text", "The issuer of JWTs, exactly."),
        auth("OIDC_ISSUER", "URL", "an https URL", "Issuer whose keys are found by discovery."),
        auth(
            "JWT_LEEWAY", "duration", "0 to 120 seconds", default: "30", unit: "seconds",
            "Tolerance for the clocks of issuers."),
        auth("ACCEPT_ID_TOKENS", "flag", "true or false", default: "false", "Accepts ID tokens as well."),
        auth("ROLE_CLIENTS", "set", "a list of client ids, or *", "Clients whose resource_access roles count."),
    ]
    private static let tokenReview = [
        auth(
            "TOKEN_REVIEW", "flag", "true or false", default: "false",
            "Lets the API server judge tokens of the cluster, for the own API and for AuthConfigs without issuers."),
        auth(
            "TOKEN_REVIEW_AUDIENCES", "set", "a list of audiences", default: "tollgate",
            "Audiences of which such a token must have one; also for AuthConfigs that name none."),
    ]
    private static let openIDConnect = [
        raw(
            "OIDC_ENABLED", "flag", "true or false", default: "false",
            "Adds one more issuer by the three settings below."),
        raw("OIDC_ISSUER", "URL", "an https URL", "Its issuer; required when it is on."),
        raw("OIDC_AUDIENCE", "set", "a list of audiences", "Its audiences."),
        raw("OIDC_JWKS_URI", "URL", "an https URL", "Its key set, which skips discovery; never the issuer."),
    ]
    private static let failureLimits = [
        auth(
            "RATE_LIMIT_IP", "number", "a whole number, 0 = off", default: "20",
            "Failed authentications of an address in an interval."),
        auth(
            "RATE_LIMIT_IDENTITY", "number", "a whole number, 0 = off", default: "10",
            "Failed authentications of an identity in an interval."),
        auth(
            "RATE_LIMIT_INTERVAL", "duration", "seconds, or 30s, 5m, at least 1", default: "60", unit: "seconds",
            "The interval."),
        auth(
            "RATE_LIMIT_MAX_KEYS", "number", "a whole number", default: "10000",
            "Addresses, and identities, that are remembered."),
    ]

    private static func auth(
        _ suffix: String, _ type: String, _ expected: String, secret: Bool = false, also: [String] = [],
        default defaultText: String? = nil, note: String? = nil, unit: String? = nil, _ rule: String
    ) -> Setting<String> {
        Setting(
            "TOLLGATE_AUTH_" + suffix, aliases: ["ORCHEO_AUTH_" + suffix] + also,
            .raw(type, expected: expected, unit: unit), default: defaultText, defaultNote: note, secret: secret,
            in: .authentication, rule)
    }

    private static func raw(
        _ name: String, _ type: String, _ expected: String, default defaultText: String? = nil, _ rule: String
    ) -> Setting<String> {
        Setting(name, .raw(type, expected: expected), default: defaultText, in: .authentication, rule)
    }
}
