// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authentication

@Suite struct CredentialReportTests {
    private static func lines(_ world: TokenWorld, _ request: AuthenticationRequest) -> (
        said: [String], mends: [String]
    ) {
        let report = world.authenticator.report(request, realm: world.realm, now: world.clock.now())
        return (report.explanation.compared.map(\.text), report.explanation.remedies.map(\.text))
    }

    private static func token(
        _ world: TokenWorld, _ identifier: String = "ci", _ grant: ServiceTokenGrant = ServiceTokenGrant(),
        expiresIn: Int64? = nil
    ) async throws -> String {
        let request = CreateServiceToken(identifier: identifier, grant: grant, expiresInSeconds: expiresIn)
        return try #require(try await world.registry.create(request, caller: TokenWorld.root).secret?.revealed)
    }

    @Test func aStoredTokenIsNamedWithItsFamilyAndTenant() async throws {
        let world = TokenWorld()
        let text = try await Self.token(world, "ci", ServiceTokenGrant(tenantID: "acme"))
        let report = world.authenticator.report(world.request(text), realm: world.realm, now: world.clock.now())
        #expect(
            report.explanation.compared.map(\.text) == [
                "mode required, a credential is needed", "service token in Authorization", "id ci, family ci",
                "tenant acme",
            ])
        #expect(report.explanation.remedies.isEmpty)
        #expect(report.holder == .tenant("acme"))
    }

    @Test func aStoredTokenSaysWhatSpeaksAgainstIt() async throws {
        var world = TokenWorld()
        let text = try await Self.token(
            world, "ci", ServiceTokenGrant(allowedCIDRs: ["203.0.113.0/24"]), expiresIn: 60)
        let there = Self.lines(world, world.request(text))
        #expect(there.said.last == "client address 192.0.2.10 is not in allowed_cidrs: 203.0.113.0/24")
        #expect(
            there.mends == [
                "Call from one of these addresses, or add the address to allowed_cidrs of the service token."
            ])
        let nowhere = Self.lines(world, world.request(text, address: nil))
        #expect(nowhere.mends.first?.hasPrefix("Say the client's address (request.source_ip, --source-ip)") == true)
        world.clock.advance(seconds: 60)
        let expired = Self.lines(world, world.request(text))
        #expect(expired.said.last?.hasPrefix("expired at ") == true)
        #expect(expired.mends == ["Make another service token with `tollgate token create`."])
        _ = try await world.registry.revoke("ci", RevokeServiceToken(reason: "x"), caller: TokenWorld.root)
        let revoked = Self.lines(world, world.request(text))
        #expect(revoked.said.last?.hasPrefix("revoked at ") == true)
        #expect(revoked.mends.count == 1)
        world.realm.serviceTokens = false
        let off = Self.lines(world, world.request(text))
        #expect(off.said.last == "this AuthConfig takes no service tokens (spec.serviceTokens: false)")
        world.realm.serviceTokens = true
        world.clock.advance(seconds: 60)
        world.clock.advance(seconds: 1)
        let stale = Self.lines(world, world.request(text))
        #expect(stale.said.last == "the token store was not heard of for 60 s")
    }

    @Test func anUnprovedTokenTellsNobodyWhetherItExists() async throws {
        let world = TokenWorld()
        _ = try await Self.token(world, "ci", ServiceTokenGrant(tenantID: "acme"))
        let random = SeededRandom(seed: 5)
        for id in ["ci", "no-such"] {
            let text = TokenText.generate(prefix: "tgs_", id: id, random: random).revealed
            let report = world.authenticator.report(world.request(text), realm: world.realm, now: world.clock.now())
            #expect(
                report.explanation.compared.map(\.text) == [
                    "mode required, a credential is needed", "service token in Authorization",
                    "id \(id): there is no such service token, or its secret is another one",
                ])
            #expect(report.holder == .nobody)
        }
        let broken = Self.lines(world, world.request("tgs_nonsense"))
        #expect(
            broken.said.last == "the text begins like a service token and has another shape, or its checksum is wrong")
    }

    @Test func theOtherKindsAreToldApart() async throws {
        let world = TokenWorld(bootstrap: BootstrapSettings(token: Redacted(TokenWorld.bootstrapText)))
        #expect(Self.lines(world, world.request(TokenWorld.adminText)).said.last == "it is the admin token")
        #expect(Self.lines(world, world.request(TokenWorld.bootstrapText)).said.last == "it is the bootstrap token")
        let other = Self.lines(world, world.request("something"))
        #expect(other.said.last == "compared with the admin and the bootstrap token: neither")
        #expect(other.mends.count == 1)
        let none = Self.lines(world, world.request(nil))
        #expect(none.said.last == "no credential: neither X-API-Key nor Authorization nor a client certificate")
        #expect(none.mends == ["Send a credential: Authorization: Bearer <token>, or X-API-Key: <key>."])
        #expect(Self.lines(world, world.request(nil, surface: .workload(publicRoute: true))).mends.isEmpty)
        var described = world.request(nil)
        described.describedCredential = TokenWorld.adminText
        #expect(Self.lines(world, described).said.contains("opaque token given beside the request"))
    }

    @Test(
        arguments: [
            ([("authorization", "Basic dTpw")], "Authorization is not `Bearer` and one token"),
            ([("authorization", "Bearer")], "Authorization says Bearer and holds no token"),
            ([("authorization", "Bearer a"), ("authorization", "Bearer b")], "a credential header comes twice"),
        ])
    func anUnusableHeaderSaysWhy(headers: [(String, String)], said: String) {
        let world = TokenWorld()
        var request = world.request(nil)
        request.headers = HeaderList(headers)
        let lines = Self.lines(world, request)
        #expect(lines.said.last == said)
        #expect(lines.mends.count == 1)
    }

    @Test func failuresOfAnAddressAreCounted() {
        let world = TokenWorld(limits: FailureLimitSettings(perAddress: 2))
        func said() -> (lines: [String], mends: [String]) {
            let text = world.authenticator.failureReport(world.request(nil), now: world.clock.now())
            return (text.compared.map(\.text), text.remedies.map(\.text))
        }
        #expect(said().lines == ["192.0.2.10: 0 failures of 2 in 60 s"])
        _ = world.outcome("wrong-wrong-wrong")
        #expect(said().lines == ["192.0.2.10: 1 failures of 2 in 60 s"])
        _ = world.outcome("wrong-wrong-wrong")
        world.clock.advance(seconds: 10)
        #expect(said().lines == ["192.0.2.10: 2 failures of 2 in 60 s", "blocked for another 50 s"])
        #expect(
            said().mends == [
                "Wait 50 s, and stop the client that sends bad credentials from this address.",
                "Or let it back in: DELETE /v1/admin/auth-blocks?key=ip:192.0.2.10",
            ])
        world.clock.advance(seconds: 50)
        #expect(said().lines == ["192.0.2.10: 0 failures of 2 in 60 s"])
        let unknown = world.authenticator.failureReport(world.request(nil, address: nil), now: world.clock.now())
        #expect(unknown.compared.map(\.text) == ["the client's address is not known: no limit by address"])
    }
}

/// The explanation of a signed token follows the verifier: it finds a fault exactly where that refuses.
@Suite struct SignedTokenReportTests {
    private static let now = ManualClock().now()
    private let verifier = JWTVerifier(remoteKeys: .forTests())

    private static func entry(_ change: (inout IssuerEntry) -> Void = { _ in }) throws -> IssuerEntry {
        var entry = IssuerEntry(
            name: "main", issuer: "https://idp.example", secret: Redacted(Array(TestKeys.secretText.utf8)),
            staticKeys: try TestKeys.set(TokenForge.jwk(TestKeys.p256, kid: "k1")), audiences: ["api"],
            algorithms: [.hs256, .es256])
        change(&entry)
        return entry
    }

    private func report(
        header: JSONValue = ["alg": "HS256"], claims changes: [String: JSONValue?] = [:],
        key: TokenForge.Key? = TestKeys.secret, entry: IssuerEntry? = nil
    ) throws -> (said: [String], mends: [String], verdict: String) {
        var claims: JSONObject = [
            "iss": "https://idp.example", "aud": "api", "sub": "u1", "exp": .int(Self.now.seconds + 600),
        ]
        for (name, value) in changes { claims[name] = value }
        let text = try TokenForge.token(header: header, claims: .object(claims), key: key)
        let issuers = try IssuerTable(entries: [entry ?? Self.entry()])
        let report = verifier.report(text, issuers: issuers, certificateThumbprint: nil, now: Self.now)
        for line in report.explanation.compared + report.explanation.remedies {
            for part in text.split(separator: ".") where part.count > 12 { #expect(!line.text.contains(part)) }
        }
        let verdict = verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: Self.now).code
        return (report.explanation.compared.map(\.text), report.explanation.remedies.map(\.text), verdict)
    }

    @Test func aGoodTokenNamesIssuerAndKey() throws {
        let good = try report(header: ["alg": "ES256", "kid": "k1"], key: TestKeys.p256)
        #expect(
            good.said == [
                "algorithm ES256, key id k1", "issuer https://idp.example: entry main (issuer https://idp.example)",
                "signature checked with key k1 of the given key set: good",
                "expires at \(Timestamp(seconds: Self.now.seconds + 600).rfc3339), now \(Self.now.rfc3339), leeway 30 s",
                "audience api, accepted: api",
            ])
        #expect(good.mends.isEmpty)
        let secret = try report()
        #expect(secret.said.contains("signature checked with the shared secret: good"))
    }

    @Test func eachFaultIsNamed() throws {
        let second = Self.now.seconds
        #expect(try report(header: ["alg": "none"]).said == ["the algorithm in its header is not supported"])
        #expect(
            try report(header: ["alg": "HS256", "crit": []]).said.first?.hasPrefix("the text has two dots") == true)
        #expect(
            try report(claims: ["iss": "https://other.example"]).said.last
                == "issuer https://other.example: none of the accepted ones (https://idp.example)")
        #expect(
            try report(header: ["alg": "HS256"], entry: Self.entry { $0.algorithms = [.es256] }).said.last
                == "algorithm HS256 is not among those of entry main: ES256")
        #expect(
            try report(key: .secret(Array("another-secret-of-32-bytes-00000".utf8))).said.last
                == "signature checked with the shared secret: wrong")
        #expect(
            try report(header: ["alg": "ES256", "kid": "k2"], key: TestKeys.p256).said.last
                == "no key fits; key ids of the set: k1")
        #expect(
            try report(header: ["alg": "ES256", "kid": 7], key: TestKeys.p256).said.last
                == "the key id is no text: no key can have it")
        #expect(
            try report(entry: Self.entry { $0.secret = nil }).said.last == "entry main has no key for this algorithm")
        #expect(
            try report(claims: ["exp": .int(second - 31)]).said.contains { $0.hasPrefix("expired at ") })
        #expect(try report(claims: ["exp": .some(nil)]).said.contains("exp is absent or no number of seconds"))
        #expect(try report(claims: ["iat": .int(second + 31)]).said.contains { $0.contains("is ahead") })
        #expect(try report(claims: ["nbf": "x"]).said.contains("nbf is no number of seconds"))
        #expect(try report(claims: ["aud": ["x", "y"]]).said.last == "audience x, y, accepted: api")
        #expect(
            try report(claims: ["token_use": "ID"]).said.last == "token_use says id: no access token")
        #expect(
            try report(entry: Self.entry { $0.requiredClaims = ["email"] }).said.last
                == "claim email is required and absent")
        #expect(
            try report(claims: ["tenant_id": "b"], entry: Self.entry { $0.tenant = "a" }).said.last
                == "tenant b, the entry's is a")
        #expect(
            try report(claims: ["cnf": ["x5t#S256": "x"]]).said.last
                == "the token is bound to another client certificate (cnf)")
    }

    @Test func itFindsAFaultExactlyWhereTheVerifierRefuses() throws {
        let random = SeededRandom(seed: 17)
        let second = Self.now.seconds
        let headers: [JSONValue] = [
            ["alg": "HS256"], ["alg": "HS256", "kid": "k1"], ["alg": "ES256", "kid": "k1"], ["alg": "ES256"],
            ["alg": "ES256", "kid": "k9"], ["alg": "RS256"], ["alg": "none"], ["alg": "ES256", "kid": nil],
            ["typ": "x"],
        ]
        let changes: [(String, JSONValue?)] = [
            ("exp", .int(second - 29)), ("exp", .int(second - 30)), ("exp", nil), ("exp", "soon"),
            ("iat", .int(second)),
            ("iat", .int(second + 40)), ("nbf", .int(second + 30)), ("nbf", true), ("aud", "api"), ("aud", ["b"]),
            ("aud", nil), ("iss", "x"), ("typ", "refresh"), ("typ", "Bearer"), ("token_use", "id"),
            ("tenant_id", "acme"), ("tenant_id", "globex"), ("email", "a@b"), ("cnf", ["x5t#S256": "t"]), ("sub", "u2"),
        ]
        for _ in 0..<FuzzCases.count(400) {
            let header = headers[random.below(headers.count)]
            var claims: [String: JSONValue?] = [:]
            for _ in 0..<random.below(3) {
                let (name, value) = changes[random.below(changes.count)]
                claims[name] = .some(value)
            }
            let strict = random.below(2) == 0
            let entry = try Self.entry {
                if strict {
                    $0.tenant = "acme"
                    $0.requiredClaims = ["email"]
                }
            }
            let key = header["alg"] == "ES256" ? TestKeys.p256 : TestKeys.secret
            let result = try report(header: header, claims: claims, key: key, entry: entry)
            #expect((result.verdict == "verified") == result.mends.isEmpty, "\(header) \(claims): \(result)")
        }
    }
}
