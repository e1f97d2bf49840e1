// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// A real OIDC provider: discovery, a key set by URL, and a key that is replaced.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct OIDCTests {
    private static func manifests(_ provider: GlewlwydProvider) -> String {
        [("discovery", "discovery: true"), ("keys", "jwksURL: \(provider.keySetURL)")]
            .map { name, source in
                """
                apiVersion: tollgate.dev/v1alpha1
                kind: AuthConfig
                metadata:
                  name: \(name)
                  namespace: default
                spec:
                  hosts: [\(name).example]
                  mode: required
                  issuers:
                    - name: provider
                      issuer: \(provider.issuer)
                      \(source)
                      audiences: [catalog]
                      algorithms: [ES256]
                  policy:
                    builtinRoutes: false
                    routes:
                      - {methods: ["*"], path: "/catalog/**", authenticated: true}
                """
            }
            .joined(separator: "\n---\n")
    }

    private static func with(
        keyID: String, body: @escaping (GlewlwydProvider, TollgateDaemon) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory()
        try await GlewlwydProvider.with(keyID: keyID, folder: folder) { provider in
            let daemon = try TollgateDaemon(
                manifests: manifests(provider),
                settings: [
                    // The provider is on loopback, which objects may not name unless it is allowed.
                    "TOLLGATE_EGRESS_ALLOW": "127.0.0.0/8",
                    "TOLLGATE_AUTH_JWKS_CACHE_TTL": "30",
                ])
            try await daemon.running { _ in try await body(provider, daemon) }
        }
    }

    @Test(arguments: ["discovery.example", "keys.example"])
    func acceptsATokenOfTheProvider(host: String) async throws {
        try await Self.with(keyID: "first") { provider, daemon in
            let token = try await provider.accessToken()
            let allowed = try await daemon.decide(host: host, path: "/catalog/1", token: token)
            #expect(allowed["decision"]?.stringValue == "allow")
            #expect(allowed["principal"]?["subject"]?.stringValue == "robot")
            #expect(allowed["principal"]?["issuer"]?.stringValue == provider.issuer)

            let body = token.prefix { $0 != "." } + "." + token.split(separator: ".")[1]
            let forged = try await daemon.decide(
                host: host, path: "/catalog/1", token: "\(body).\(String(repeating: "A", count: 86))")
            #expect(forged["decision"]?.stringValue == "deny")
            #expect(forged["code"]?.stringValue == "auth.invalid_token")
        }
    }

    @Test func followsAKeyRotation() async throws {
        try await Self.with(keyID: "first") { provider, daemon in
            let old = try await provider.accessToken()
            let before = try await daemon.decide(host: "discovery.example", path: "/catalog/1", token: old)
            #expect(before["decision"]?.stringValue == "allow")

            try await provider.rotate(to: "second")
            let new = try await provider.accessToken()
            // An unknown key id starts a fetch no sooner than 30 s after the last one; the set's own refresh comes after 24 s.
            for host in ["discovery.example", "keys.example"] {
                try await Eventually.holds("the new key at \(host)", within: .seconds(90)) {
                    try await daemon.decide(host: host, path: "/catalog/1", token: new)["decision"]?.stringValue
                        == "allow"
                }
                let after = try await daemon.decide(host: host, path: "/catalog/1", token: old)
                #expect(after["decision"]?.stringValue == "deny", "the old key is gone from the set")
                #expect(after["code"]?.stringValue == "auth.invalid_token")
            }
        }
    }

    @Test func keepsKnownKeysWhileTheProviderIsAway() async throws {
        try await Self.with(keyID: "first") { provider, daemon in
            let token = try await provider.accessToken()
            await provider.stop()
            let answer = try await daemon.decide(host: "discovery.example", path: "/catalog/1", token: token)
            #expect(answer["decision"]?.stringValue == "allow")
        }
    }

    @Test func cannotSayWhenItNeverSawTheKeys() async throws {
        let folder = try TemporaryDirectory()
        try await GlewlwydProvider.with(keyID: "first", folder: folder) { provider in
            let token = try await provider.accessToken()
            await provider.stop()
            let daemon = try TollgateDaemon(
                manifests: Self.manifests(provider), settings: ["TOLLGATE_EGRESS_ALLOW": "127.0.0.0/8"])
            try await daemon.running { _ in
                let answer = try await daemon.decide(host: "discovery.example", path: "/catalog/1", token: token)
                #expect(answer["code"]?.stringValue == "auth.key_unavailable")
            }
        }
    }
}
