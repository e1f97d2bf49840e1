// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

/// The order of checks: each row is faulty in one way, or in two of which the first must answer.
@Suite struct JWTVerifierTests {
    private static let now = ManualClock().now()
    private static let end = now.seconds + 600
    private let verifier = JWTVerifier(remoteKeys: .forTests())

    private static func entry(_ change: (inout IssuerEntry) -> Void = { _ in }) -> IssuerEntry {
        var entry = IssuerEntry(
            name: "test", issuer: "https://idp.example", secret: Redacted(Array(TestKeys.secretText.utf8)),
            audiences: ["api"], algorithms: [.hs256, .rs256, .es256])
        change(&entry)
        return entry
    }

    private static func claims(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var claims: JSONObject = ["iss": "https://idp.example", "aud": "api", "sub": "user-1", "exp": .int(end)]
        for (name, value) in changes { claims[name] = value }
        return .object(claims)
    }

    private func verify(
        header: JSONValue = ["alg": "HS256"], claims: JSONValue = Self.claims(), key: TokenForge.Key? = TestKeys.secret,
        entry: IssuerEntry = Self.entry(), thumbprint: String? = nil, now: Timestamp = Self.now
    ) throws -> AuthenticationOutcome {
        verifier.verify(
            try TokenForge.token(header: header, claims: claims, key: key),
            issuers: try IssuerTable(entries: [entry]), certificateThumbprint: thumbprint, now: now)
    }

    @Test func takesAGoodToken() throws {
        let principal = try #require(try verify().principal)
        #expect(principal.subject == "user-1")
        #expect(principal.issuer == "https://idp.example")
        #expect(principal.audience == ["api"])
        #expect(principal.expiresAt == Timestamp(seconds: Self.end))
        #expect(principal.authSource == .jwt)
        #expect(!principal.platform && !principal.admin && !principal.scoped)
    }

    @Test(
        arguments: [
            (["alg": "HS256", "typ": "JWT"] as JSONValue, "verified"), (["alg": "HS256", "typ": "AT+jwt"], "verified"),
            (["alg": "HS256", "typ": "application/at+jwt"], "auth.invalid_token"),
            (["alg": "HS256", "typ": "logout+jwt"], "auth.invalid_token"),
            (["alg": "HS256", "typ": 1], "auth.invalid_token"),
            (["alg": "HS256", "typ": nil], "auth.invalid_token"), (["alg": "HS256", "crit": []], "auth.invalid_token"),
            (["alg": "HS256", "crit": nil], "auth.invalid_token"), (["alg": 1], "auth.invalid_token"),
            (["typ": "JWT"], "auth.invalid_token"), ([], "auth.invalid_token"), ("x", "auth.invalid_token"),
            (["alg": "none"], "auth.unsupported_algorithm"), (["alg": "None"], "auth.unsupported_algorithm"),
            (["alg": "hs256"], "auth.unsupported_algorithm"), (["alg": ""], "auth.unsupported_algorithm"),
            (["alg": "ES256K"], "auth.unsupported_algorithm"), (["alg": "HS512"], "auth.unsupported_algorithm"),
            (["alg": "none", "crit": ["x"]], "auth.invalid_token"), (["alg": "HS256", "kid": 7], "verified"),
            (["alg": "HS256", "jku": "https://evil.example", "jwk": ["kty": "oct"]], "verified"),
            (["alg": "RS256"], "auth.invalid_token"), (["alg": "ES256"], "auth.invalid_token"),
        ] as [(JSONValue, String)])
    func checksTheHeader(_ header: JSONValue, _ code: String) throws {
        #expect(try verify(header: header).code == code)
    }

    @Test(
        arguments: [
            (["iss": .some(nil)], "auth.invalid_token"), (["iss": "https://other.example"], "auth.invalid_issuer"),
            (["iss": "https://idp.example/"], "auth.invalid_issuer"), (["iss": 1], "auth.invalid_token"),
            (["exp": .some(nil)], "auth.invalid_token"), (["exp": "9999999999"], "auth.invalid_token"),
            (["exp": .int(end * 1000)], "auth.invalid_token"), (["exp": true], "auth.invalid_token"),
            (["exp": .int(now.seconds - 30)], "auth.token_expired"), (["exp": .int(now.seconds - 29)], "verified"),
            (["exp": .double(Double(now.seconds) - 29.5)], "auth.token_expired"),
            (["iat": .int(now.seconds + 30)], "verified"), (["iat": .int(now.seconds + 31)], "auth.invalid_token"),
            (["iat": "x"], "auth.invalid_token"), (["nbf": .int(now.seconds + 31)], "auth.invalid_token"),
            (["nbf": .array([])], "auth.invalid_token"), (["nbf": 0], "verified"), (["nbf": -1], "auth.invalid_token"),
            (["aud": .some(nil)], "auth.invalid_token"), (["aud": "x"], "auth.invalid_audience"),
            (["aud": "api x"], "auth.invalid_audience"), (["aud": ["x", "api"]], "verified"),
            (["aud": []], "auth.invalid_audience"), (["aud": ["API"]], "auth.invalid_audience"),
            (["exp": 0, "aud": "x"], "auth.token_expired"), (["aud": "x", "typ": "ID"], "auth.invalid_audience"),
            (["typ": "Refresh"], "auth.invalid_token"), (["typ": "Offline"], "auth.invalid_token"),
            (["token_use": "LOGOUT"], "auth.invalid_token"), (["typ": "ID"], "auth.invalid_token"),
            (["typ": "Bearer"], "verified"), (["sub": .some(nil)], "auth.invalid_token"),
            (["sub": ""], "auth.invalid_token"),
            (["sub": 42], "verified"), (["scope": .array((0..<300).map { .string("s\($0)") })], "auth.invalid_token"),
            (["cnf": ["x5t#S256": "abc"]], "auth.invalid_token"), (["cnf": ["x5t#S256": 1]], "auth.invalid_token"),
            (["cnf": ["jkt": "x"]], "verified"),
        ] as [([String: JSONValue?], String)])
    func checksTheClaims(_ changes: [String: JSONValue?], _ code: String) throws {
        #expect(try verify(claims: Self.claims(changes)).code == code)
    }

    @Test func countsFailuresForTheOwnerOnceTheSignatureHeld() throws {
        let late = Self.claims(["exp": 0])
        let identity = try #require(try verify(claims: late).identity)
        #expect(FailureIdentity.display(identity) == "user-1")
        #expect(identity == FailureIdentity.key(issuer: "https://idp.example", subject: "user-1"))
        #expect(identity != FailureIdentity.key(issuer: "https://other.example", subject: "user-1"))
        #expect(try verify(claims: late, key: .secret([1, 2, 3])).identity == nil)
        #expect(FailureIdentity.display("plain") == "plain")
    }

    @Test func demandsTheClaimsThatTheEntryDemands() throws {
        let entry = Self.entry { $0.requiredClaims = ["department"] }
        #expect(try verify(entry: entry).code == "auth.invalid_token")
        #expect(
            try verify(claims: Self.claims(["department": JSONValue.null]), entry: entry).code == "auth.invalid_token")
        #expect(try verify(claims: Self.claims(["department": ""]), entry: entry).code == "verified")
    }

    @Test func takesIDTokensOnlyWhereTheyCount() throws {
        let entry = Self.entry { $0.acceptsIDTokens = true }
        #expect(try verify(claims: Self.claims(["typ": "ID"]), entry: entry).code == "verified")
        #expect(try verify(claims: Self.claims(["typ": "Refresh"]), entry: entry).code == "auth.invalid_token")
    }

    @Test func takesTheAuthorizedPartyForAnAudience() throws {
        let entry = Self.entry {
            $0.audiences = []
            $0.authorizedParty = "console"
        }
        #expect(
            try verify(claims: Self.claims(["azp": "console", "aud": .some(nil)]), entry: entry).code == "verified")
        #expect(try verify(claims: Self.claims(["aud": ["account", "console"]]), entry: entry).code == "verified")
        #expect(try verify(claims: Self.claims(["azp": "x"]), entry: entry).code == "auth.invalid_audience")
    }

    @Test func bindsTokensToCertificates() throws {
        let claims = Self.claims(["cnf": ["x5t#S256": "abc"]])
        #expect(try verify(claims: claims, thumbprint: "abc").code == "verified")
        #expect(try verify(claims: claims, thumbprint: "abd").code == "auth.invalid_token")
        #expect(try verify(claims: claims).code == "auth.invalid_token")
        #expect(try verify(claims: claims, thumbprint: "abc").code == "verified")
        #expect(verifier.rememberedTokens == 1)
    }

    @Test func refusesForeignTenantsAndTakesThePinnedOne() throws {
        let entry = Self.entry { $0.tenant = "acme" }
        #expect(try verify(entry: entry).principal?.tenantID == "acme")
        let foreign = try verify(claims: Self.claims(["orcheo": ["tenant": "other"]]), entry: entry)
        #expect(foreign.code == "auth.tenant_mismatch")
    }

    @Test func saysWhichTextIsNoToken() throws {
        let good = try TokenForge.token(header: ["alg": "HS256"], claims: Self.claims(), key: TestKeys.secret)
        let parts = good.split(separator: ".").map(String.init)
        let issuers = try IssuerTable(entries: [Self.entry()])
        func code(_ text: String) -> String {
            verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: Self.now).code
        }
        #expect(code(good) == "verified")
        let doubled = Base64URL.encode(Array("{\"alg\":\"HS256\",\"alg\":\"HS256\"}".utf8))
        for text in [
            "", ".", "..", "a.b.c", good + ".", "." + good, good + "=", " " + good, good + "\n",
            parts[0] + "." + parts[1],
            "\(doubled).\(parts[1]).\(parts[2])", "\(parts[0])=.\(parts[1]).\(parts[2])",
            "\(parts[0]).\(parts[1])+.\(parts[2])", "\(parts[0]).é\(parts[1]).\(parts[2])",
            "\(parts[0]).\(parts[1]).\(parts[2].dropLast())", String(repeating: "a", count: 100_000), "\0.\0.\0",
        ] { #expect(code(text) == "auth.invalid_token", "\(text.prefix(40))") }
    }

    @Test(arguments: [(4096, 16_384, true), (4097, 16_384, false), (4096, 16_385, false)])
    func boundsTheParts(_ headerBytes: Int, _ payloadBytes: Int, _ isTaken: Bool) throws {
        func padded(_ value: JSONValue, _ size: Int) -> JSONValue {
            var object = value.objectValue ?? [:]
            object["x"] = ""
            let missing = size - JSONValue.object(object).encoded().count
            object["x"] = .string(String(repeating: "x", count: missing))
            return .object(object)
        }
        let outcome = try verify(
            header: padded(["alg": "HS256"], headerBytes), claims: padded(Self.claims(), payloadBytes))
        #expect(outcome.code == (isTaken ? "verified" : "auth.invalid_token"))
    }

    @Test func refusesEveryTokenWithoutEntries() throws {
        let text = try TokenForge.token(header: ["alg": "HS256"], claims: Self.claims(), key: TestKeys.secret)
        let outcome = verifier.verify(text, issuers: .empty, certificateThumbprint: nil, now: Self.now)
        #expect(outcome.code == "auth.invalid_token")
    }

    @Test func refusesTablesThatContradictThemselves() {
        func code(_ entries: IssuerEntry...) -> IssuerTableError.Code? {
            do {
                _ = try IssuerTable(entries: entries)
                return nil
            } catch { return error.code }
        }
        #expect(code(Self.entry(), Self.entry()) == .duplicateIssuer)
        #expect(code(Self.entry { $0.issuer = nil }, Self.entry { $0.issuer = nil }) == .duplicateIssuer)
        #expect(code(Self.entry { $0.secret = nil }) == .noKeySource)
        #expect(code(Self.entry { $0.leewaySeconds = 121 }) == .badLeeway)
        #expect(code(Self.entry(), Self.entry { $0.issuer = nil }) == nil)
    }

    @Test func givesWhatMappingsGiveToGroups() throws {
        let mappings = IdentityMappings([
            IdentityMapping(match: .group("/ops*"), roles: ["operator"], workspaces: ["*", "ws"], tenant: "acme"),
            IdentityMapping(match: .subject("user-1"), roles: ["admin"]),
        ])
        let text = try TokenForge.token(
            header: ["alg": "HS256"], claims: Self.claims(["groups": ["/ops/eu"], "roles": ["viewer"]]),
            key: TestKeys.secret)
        let issuers = try IssuerTable(entries: [Self.entry()], mappings: mappings)
        let outcome = verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: Self.now)
        let principal = try #require(outcome.principal)
        #expect(principal.roles == ["operator", "viewer"])
        #expect(principal.workspaceIDs == ["ws"])
        #expect(principal.tenantID == "acme")
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func verifiesEveryAlgorithm(_ algorithm: SignatureAlgorithm) throws {
        let key = try TestKeys.key(for: algorithm)
        let jwk = try TokenForge.jwk(key, kid: "k")
        let entry = Self.entry {
            $0.algorithms = Set(SignatureAlgorithm.allCases)
            $0.staticKeys = algorithm.usesSharedSecret ? nil : try? TestKeys.set(jwk)
        }
        let header: JSONValue = ["alg": .string(algorithm.rawValue), "kid": "k"]
        #expect(try verify(header: header, key: key, entry: entry).code == "verified")
        let narrow = Self.entry { $0.algorithms = Set(SignatureAlgorithm.allCases).subtracting([algorithm]) }
        #expect(try verify(header: header, key: key, entry: narrow).code == "auth.unsupported_algorithm")
        for other in SignatureAlgorithm.allCases where other != algorithm {
            let header: JSONValue = ["alg": .string(other.rawValue), "kid": "k"]
            let text = try TokenForge.token(header: header, claims: Self.claims(), key: nil)
            let signature = try TokenForge.signature(
                over: Array(text.utf8.dropLast()), algorithm: algorithm.rawValue, key: key)
            let outcome = verifier.verify(
                text + Base64URL.encode(signature), issuers: try IssuerTable(entries: [entry]),
                certificateThumbprint: nil, now: Self.now)
            #expect(outcome.code == "auth.invalid_token", "\(algorithm) as \(other)")
        }
    }
}
