// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct AuthenticationSettingsTests {
    private static let good = "secret-secret-secret-secret-secret"

    private static func problems(_ texts: [String: String]) -> [String] {
        switch AuthenticationSettings.parse(texts) {
        case .success: []
        case .failure(let problems): problems.problems.map(\.setting)
        }
    }

    @Test func startsWithNothing() throws {
        let settings = try AuthenticationSettings.parse([:]).get()
        #expect(settings.mode == .optional)
        #expect(settings.issuers.isEmpty && settings.adminToken == nil && settings.bootstrap == nil)
        #expect(settings.limits == FailureLimitSettings())
        #expect(settings.warnings.isEmpty)
    }

    @Test(arguments: [
        ("TOLLGATE_AUTH_MODE", "on"), ("TOLLGATE_AUTH_TOKEN", "short"), ("TOLLGATE_AUTH_TOKEN", "tgs_12345678"),
        ("TOLLGATE_AUTH_TOKEN", "aaaa.bbbb.cccc"), ("TOLLGATE_AUTH_TOKEN", "tgk_live_12345678"),
        ("TOLLGATE_AUTH_BOOTSTRAP_SERVICE_TOKEN", "tgk_test_1"), ("TOLLGATE_AUTH_BOOTSTRAP_TOKEN_EXPIRES_AT", "1e9"),
        ("TOLLGATE_AUTH_BOOTSTRAP_TOKEN_SCOPES", "*"), ("TOLLGATE_AUTH_BOOTSTRAP_AUTO_DISABLE", "maybe"),
        ("TOLLGATE_AUTH_SERVICE_TOKEN_BACKEND", "mysql"), ("TOLLGATE_AUTH_JWT_SECRET", "short"),
        ("TOLLGATE_AUTH_JWKS_URL", "ftp://x"), ("TOLLGATE_AUTH_JWKS_URL", "https://u@x/keys"),
        ("TOLLGATE_AUTH_JWKS", "{}"), ("TOLLGATE_AUTH_JWKS_STATIC", "nonsense"),
        ("TOLLGATE_AUTH_JWKS_CACHE_TTL", "soon"), ("TOLLGATE_AUTH_ALLOWED_ALGORITHMS", "RS256, none"),
        ("TOLLGATE_AUTH_JWT_LEEWAY", "121"), ("TOLLGATE_AUTH_RATE_LIMIT_IP", "-1"),
        ("TOLLGATE_AUTH_RATE_LIMIT_INTERVAL", "0"), ("TOLLGATE_AUTH_RATE_LIMIT_MAX_KEYS", "0"),
        ("TOLLGATE_TRUSTED_PROXIES", "10.0.0.0/40"), ("TOLLGATE_API_KEY_PREFIX", "tgs"),
        ("TOLLGATE_API_KEY_OLD_PREFIXES", "a"),
    ])
    func aValueThatDoesNotParseStopsTheStart(_ name: String, _ value: String) {
        #expect(Self.problems([name: value]) == [name])
    }

    @Test func namesEveryProblemAtOnce() {
        let names = Self.problems([
            "TOLLGATE_AUTH_MODE": "on", "TOLLGATE_AUTH_TOKEN": "x", "TOLLGATE_AUTH_RATE_LIMIT_IP": "many",
            "OIDC_ENABLED": "true",
        ])
        #expect(
            Set(names) == [
                "TOLLGATE_AUTH_MODE", "TOLLGATE_AUTH_TOKEN", "TOLLGATE_AUTH_RATE_LIMIT_IP", "OIDC_ISSUER",
            ])
    }

    @Test func blankIsUnset() throws {
        let settings = try AuthenticationSettings.parse([
            "TOLLGATE_AUTH_MODE": "  ", "TOLLGATE_AUTH_TOKEN": "", "TOLLGATE_AUTH_JWT_SECRET": "\t",
        ]).get()
        #expect(settings.adminToken == nil && settings.issuers.isEmpty)
    }

    @Test func weakSecretsNeedAWord() throws {
        let settings = try AuthenticationSettings.parse([
            "TOLLGATE_AUTH_JWT_SECRET": "short", "TOLLGATE_AUTH_ALLOW_WEAK_SECRET": "true",
            "TOLLGATE_AUTH_TOKEN": "not-that-long",
        ]).get()
        #expect(settings.warnings.map(\.setting) == ["TOLLGATE_AUTH_TOKEN", "TOLLGATE_AUTH_JWT_SECRET"])
        #expect(settings.issuers.first?.secret?.revealed == Array("short".utf8))
        #expect(!settings.warnings.contains { $0.message.contains("short\"") })
    }

    @Test func emptyScopesAreNoScopes() throws {
        let settings = try AuthenticationSettings.parse([
            "TOLLGATE_AUTH_BOOTSTRAP_SERVICE_TOKEN": Self.good, "TOLLGATE_AUTH_BOOTSTRAP_TOKEN_SCOPES": ",",
        ]).get()
        #expect(settings.bootstrap?.scopes == [])
    }

    @Test func discoveryIsTheIssuer() throws {
        let texts = ["TOLLGATE_AUTH_OIDC_ISSUER": "https://idp.example.com", "TOLLGATE_AUTH_AUDIENCE": "a b"]
        let entry = try #require(try AuthenticationSettings.parse(texts).get().issuers.first)
        #expect(entry.issuer == "https://idp.example.com")
        #expect(entry.remote == .discovery(issuer: "https://idp.example.com", trust: .settings))
        #expect(entry.audiences == ["a", "b"])
        #expect(entry.platform)
        let other = texts.merging(["TOLLGATE_AUTH_ISSUER": "https://other"]) { $1 }
        #expect(Self.problems(other) == ["TOLLGATE_AUTH_ISSUER"])
    }

    @Test func aSecondIssuerLosesTheDiscoveryEnding() throws {
        let settings = try AuthenticationSettings.parse([
            "OIDC_ENABLED": "true", "OIDC_ISSUER": "https://idp/.well-known/openid-configuration",
            "OIDC_JWKS_URI": "https://idp/keys", "TOLLGATE_AUTH_JWT_SECRET": Self.good,
        ]).get()
        #expect(settings.issuers.map(\.issuer) == [nil, "https://idp"])
        #expect(settings.issuers.last?.remote == .jwks(url: "https://idp/keys", trust: .settings))
    }

    @Test func durationsTakeUnits() throws {
        let settings = try AuthenticationSettings.parse([
            "TOLLGATE_AUTH_RATE_LIMIT_INTERVAL": "5m", "TOLLGATE_AUTH_JWKS_TIMEOUT": "0.5",
        ]).get()
        #expect(settings.limits.intervalSeconds == 300)
        #expect(settings.keySets.timeout == .milliseconds(500))
    }
}
