// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authentication

/// What ends the use of a token that was found good.
@Suite struct VerifiedTokenCacheTests {
    private static let source = RemoteKeySource.jwks(url: "https://idp.example/keys", trust: .settings)
    private let clock = ManualClock()

    private func token(_ kid: String, _ key: TokenForge.Key) throws -> String {
        try TokenForge.token(
            header: ["alg": "ES256", "kid": .string(kid)],
            claims: ["sub": "u", "exp": .int(ManualClock().now().seconds + 60)], key: key)
    }

    @Test func remembersUntilTheEnd() throws {
        let verifier = JWTVerifier(remoteKeys: .forTests())
        let keys = try TestKeys.set(TokenForge.jwk(TestKeys.p256, kid: "k"))
        let issuers = try IssuerTable(entries: [IssuerEntry(name: "i", staticKeys: keys, algorithms: [.es256])])
        let text = try token("k", TestKeys.p256)
        func code() -> String {
            verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: clock.now()).code
        }
        #expect(code() == "verified")
        #expect(verifier.rememberedTokens == 1)
        clock.advance(seconds: 89)
        #expect(code() == "verified")
        clock.advance(seconds: 1)
        #expect(code() == "auth.token_expired")
        #expect(verifier.rememberedTokens == 0)
    }

    @Test func endsWithItsEntry() throws {
        let verifier = JWTVerifier(remoteKeys: .forTests())
        let keys = try TestKeys.set(TokenForge.jwk(TestKeys.p256, kid: "k"))
        var entry = IssuerEntry(name: "i", staticKeys: keys, algorithms: [.es256])
        let text = try token("k", TestKeys.p256)
        func code() throws -> String {
            verifier.verify(
                text, issuers: try IssuerTable(entries: [entry]), certificateThumbprint: nil, now: clock.now()
            ).code
        }
        #expect(try code() == "verified")
        #expect(try code() == "verified")
        #expect(verifier.rememberedTokens == 1)
        entry.audiences = ["api"]
        #expect(try code() == "auth.invalid_token")
        entry.audiences = []
        entry.staticKeys = try TestKeys.set(TokenForge.jwk(TestKeys.p384, kid: "k"))
        #expect(try code() == "auth.invalid_token")
    }

    @Test func endsWithItsFetchedKey() throws {
        let sets = RemoteKeySets.forTests(clock: clock)
        sets.use([Self.source])
        let slot = try #require(sets.slot(for: Self.source))
        let verifier = JWTVerifier(remoteKeys: sets)
        let issuers = try IssuerTable(entries: [IssuerEntry(name: "i", remote: Self.source, algorithms: [.es256])])
        let text = try token("k", TestKeys.p256)
        func code() -> String {
            verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: clock.now()).code
        }
        func serve(_ jwk: JSONValue) throws {
            #expect(slot.nextAction(now: clock.now()) == .fetch)
            slot.succeeded(try TestKeys.set(jwk), cacheControl: nil, jitter: 0.5, now: clock.now())
        }
        #expect(code() == "auth.key_unavailable")
        try serve(TokenForge.jwk(TestKeys.p256, kid: "k"))
        #expect(code() == "verified")
        #expect(code() == "verified")
        clock.advance(seconds: 31)
        _ = slot.missesKey(now: clock.now())
        try serve(TokenForge.jwk(TestKeys.p384, kid: "other"))
        #expect(code() == "auth.invalid_token")
        clock.advance(seconds: 31)
        #expect(code() == "auth.key_unavailable")
    }

    @Test func endsWhenTheSetIsTooOldOrNotWanted() throws {
        let sets = RemoteKeySets.forTests(
            settings: KeySetSettings(timeToLiveSeconds: 30, maxStaleSeconds: 0), clock: clock)
        sets.use([Self.source])
        let slot = try #require(sets.slot(for: Self.source))
        let verifier = JWTVerifier(remoteKeys: sets)
        let issuers = try IssuerTable(entries: [IssuerEntry(name: "i", remote: Self.source, algorithms: [.es256])])
        let text = try token("k", TestKeys.p256)
        func outcome() -> AuthenticationOutcome {
            verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: clock.now())
        }
        _ = slot.nextAction(now: clock.now())
        slot.succeeded(
            try TestKeys.set(TokenForge.jwk(TestKeys.p256, kid: "k")), cacheControl: nil, jitter: 0.5, now: clock.now())
        #expect(outcome().code == "verified")
        clock.advance(seconds: 29)
        #expect(outcome().code == "verified")
        clock.advance(seconds: 1)
        #expect(outcome().code == "auth.key_unavailable")
        sets.use([])
        #expect(outcome().code == "auth.key_unavailable")
    }

    @Test func looksAtGivenKeysBeforeFetchedOnes() throws {
        let verifier = JWTVerifier(remoteKeys: .forTests())
        let keys = try TestKeys.set(TokenForge.jwk(TestKeys.p256, kid: "k"))
        let issuers = try IssuerTable(entries: [
            IssuerEntry(name: "i", staticKeys: keys, remote: Self.source, algorithms: [.es256])
        ])
        func code(_ kid: String) throws -> String {
            verifier.verify(
                try token(kid, TestKeys.p256), issuers: issuers, certificateThumbprint: nil, now: clock.now()
            ).code
        }
        #expect(try code("k") == "verified")
        #expect(try code("x") == "auth.key_unavailable")
    }

    @Test func refusesSeveralFittingKeys() throws {
        let jwk = try TokenForge.jwk(TestKeys.p256, kid: "k")
        let verifier = JWTVerifier(remoteKeys: .forTests())
        let issuers = try IssuerTable(entries: [
            IssuerEntry(name: "i", staticKeys: try TestKeys.set(jwk, jwk), algorithms: [.es256])
        ])
        let outcome = verifier.verify(
            try token("k", TestKeys.p256), issuers: issuers, certificateThumbprint: nil, now: clock.now())
        #expect(outcome.code == "auth.invalid_token")
    }
}
