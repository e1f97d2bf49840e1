// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// Cookies of sessions as a credential of Tollgate's own API.
@Suite struct SessionAdmissionTests {
    private static func request(
        _ method: String, _ target: String, _ headers: [(String, String)], address: UInt32 = 0xC000_020A
    ) -> OwnRequest {
        OwnRequest(
            method: method, target: target, headers: HeaderList(headers), clientAddress: IPAddress(ipv4: address),
            clientIsTrustedProxy: false, clientCertificate: nil, requestID: "request-1")
    }

    private static func cookie(_ session: SessionRecord) -> (String, String) {
        ("Cookie", "\(SessionCookie.name)=\(session.id.revealed)")
    }

    private func outcome(_ world: PipelineWorld, _ request: OwnRequest) async -> String {
        switch await world.pipeline.admit(request) {
        case .allowed(let caller): "\(caller.principal.subject) \(caller.session?.handle ?? "-")"
        case .refused(let refusal, let principal, _, _, _):
            "\(refusal.status) \(refusal.code.rawValue) \(principal.subject)"
        }
    }

    /// Admits the bearer of a token, as the call that makes the session does.
    private func session(_ world: PipelineWorld, of token: String) async throws -> SessionRecord {
        let request = Self.request("GET", "/v1/auth/me", [("Authorization", "Bearer \(token)")])
        guard case .allowed(let caller) = await world.pipeline.admit(request) else {
            throw PipelineWorld.BadManifest(text: "the token is refused")
        }
        return try await world.sessions.begin(caller.principal, credential: Redacted(token), device: .init())
    }

    @Test func theCookieStandsForItsToken() async throws {
        let world = try PipelineWorld()
        let session = try await session(world, of: PipelineWorld.adminText)
        let request = Self.request("GET", "/v1/auth/me", [Self.cookie(session)])
        #expect(await outcome(world, request) == "admin \(session.handle)")
    }

    /// A page that is open and that nobody looks at keeps no session alive.
    @Test func aLookAtAnOpenStreamIsNoUse() async throws {
        let world = try PipelineWorld()
        let session = try await session(world, of: PipelineWorld.adminText)
        var look = Self.request("GET", "/events", [Self.cookie(session)])
        look.isRecheck = true
        for _ in 0..<59 {
            world.clock.advance(seconds: 30)
            #expect(await outcome(world, look) == "admin \(session.handle)")
        }
        world.clock.advance(seconds: 30)
        #expect(await outcome(world, look) == "401 auth.session_expired anonymous")
    }

    /// Any other credential of the request goes first, good or bad.
    @Test func otherCredentialsGoFirst() async throws {
        let world = try PipelineWorld()
        let session = try await session(world, of: PipelineWorld.adminText)
        let token = try await world.token("reader", ServiceTokenGrant(scopes: ["sessions:read"]))
        let cookie = Self.cookie(session)
        let rows: [(headers: [(String, String)], expected: String)] = [
            ([cookie, ("Authorization", "Bearer \(token)")], "reader -"),
            ([cookie, ("X-API-Key", token)], "reader -"),
            ([cookie, ("Authorization", "Bearer nonsense")], "401 auth.invalid_token anonymous"),
            ([cookie, ("Authorization", "Bearer")], "401 auth.missing_token anonymous"),
            ([cookie, ("Authorization", "Basic eA==")], "401 auth.invalid_scheme anonymous"),
            ([cookie, ("Authorization", "")], "admin \(session.handle)"),
        ]
        for row in rows {
            #expect(await outcome(world, Self.request("GET", "/v1/auth/me", row.headers)) == row.expected)
        }
    }

    static let proofs: [(method: String, needsProof: Bool)] = [
        ("GET", false), ("HEAD", false), ("OPTIONS", false), ("POST", true), ("PUT", true), ("PATCH", true),
        ("DELETE", true), ("TRACE", true), ("get", true),
    ]

    @Test(arguments: proofs.indices) func whatChangesSomethingNeedsTheProof(_ index: Int) async throws {
        let row = Self.proofs[index]
        let world = try PipelineWorld()
        let session = try await session(world, of: PipelineWorld.adminText)
        let refused = "403 auth.csrf admin"
        let target = "/v1/service-tokens"
        for wrong in [nil, "", "x", session.id.revealed, session.handle] {
            let headers = [Self.cookie(session)] + (wrong.map { [("X-CSRF-Token", $0)] } ?? [])
            let outcome = await outcome(world, Self.request(row.method, target, headers))
            #expect((outcome == refused) == row.needsProof, "\(row.method) \(wrong ?? "-"): \(outcome)")
        }
        let good = [Self.cookie(session), ("X-CSRF-Token", session.proof)]
        #expect(await outcome(world, Self.request(row.method, target, good)) != refused)
        // Twice is not once.
        let twice = good + [("X-CSRF-Token", session.proof)]
        #expect((await outcome(world, Self.request(row.method, target, twice)) == refused) == row.needsProof)
    }

    @Test(arguments: ["/v1/auth/logout", "/v1/auth/browser/logout"])
    func refusesForgedRequestsInWords(_ path: String) async throws {
        let world = try PipelineWorld()
        let session = try await session(world, of: PipelineWorld.adminText)
        let request = Self.request("POST", path, [Self.cookie(session)])
        guard case .refused(let refusal, _, _, _, _) = await world.pipeline.admit(request) else {
            Issue.record("admitted")
            return
        }
        #expect(refusal.code == .authCSRF && refusal.status == 403)
        #expect(refusal.message == "Missing or wrong CSRF token")
    }

    /// Bearers are no browsers: they need none.
    @Test func tokensNeedNoProof() async throws {
        let world = try PipelineWorld()
        let request = Self.request("POST", "/v1/auth/logout", [("Authorization", "Bearer \(PipelineWorld.adminText)")])
        #expect(await outcome(world, request) == "admin -")
    }

    @Test func endsWithItsTokenAndStaysEnded() async throws {
        let world = try PipelineWorld()
        let token = try await world.token("short", ServiceTokenGrant(scopes: ["sessions:read"]))
        let session = try await session(world, of: token)
        let request = Self.request("GET", "/v1/auth/me", [Self.cookie(session)])
        #expect(await outcome(world, request) == "short \(session.handle)")
        let admin = TokenCaller(
            principal: AdminCredential(token: Redacted(PipelineWorld.adminText), isGenerated: false).principal,
            admin: true
        ) { _ in true }
        try await world.registry.revoke("short", RevokeServiceToken(reason: "test"), caller: admin)
        #expect(await outcome(world, request) == "401 auth.session_expired anonymous")
        #expect(try await world.sessions.session(cookie: session.id.revealed) == nil, "it is taken out of the store")
        #expect(await outcome(world, request) == "401 auth.session_expired anonymous")
    }

    @Test func endsWhenItsTokenExpires() async throws {
        let world = try PipelineWorld()
        let token = try await world.token("short", ServiceTokenGrant(scopes: ["sessions:read"]), expiresIn: 600)
        let session = try await session(world, of: token)
        let request = Self.request("GET", "/v1/auth/me", [Self.cookie(session)])
        world.clock.advance(seconds: 599)
        world.registry.table.heard(at: world.clock.now())
        let before = await outcome(world, request)
        #expect(before == "short \(session.handle)")
        world.clock.advance(seconds: 1)
        #expect(await outcome(world, request) == "401 auth.session_expired anonymous")
    }

    /// Rights are those of the token now.
    @Test func actsByTheRightsOfItsToken() async throws {
        let world = try PipelineWorld()
        let token = try await world.token("reader", ServiceTokenGrant(scopes: ["sessions:read"]))
        let session = try await session(world, of: token)
        #expect(
            await outcome(world, Self.request("GET", "/v1/service-tokens", [Self.cookie(session)]))
                == "403 policy.scope_denied reader")
    }

    static let unknown = [
        "x", String(repeating: "A", count: 43), String(repeating: "é", count: 43), String(repeating: "A", count: 9000),
    ]

    /// A cookie that names nothing is over, says so, and is no failure that is counted.
    @Test(arguments: unknown) func unknownCookiesAreOver(_ text: String) async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 2, perIdentity: 2))
        let request = Self.request("GET", "/v1/auth/me", [("Cookie", "\(SessionCookie.name)=\(text)")])
        for _ in 0..<5 {
            #expect(await outcome(world, request) == "401 auth.session_expired anonymous")
        }
    }

    /// Whoever is shut out stays so with a good cookie.
    @Test func failureLimitsHold() async throws {
        let world = try PipelineWorld(limits: FailureLimitSettings(perAddress: 2, perIdentity: 2))
        let session = try await session(world, of: PipelineWorld.adminText)
        let bad = Self.request("GET", "/v1/auth/me", [("Authorization", "Bearer nonsense")])
        for _ in 0..<2 { _ = await outcome(world, bad) }
        let good = [Self.cookie(session)]
        #expect(
            await outcome(world, Self.request("GET", "/v1/auth/me", good)) == "429 auth.rate_limited.ip anonymous")
        #expect(
            await outcome(world, Self.request("GET", "/v1/auth/me", good, address: 0xC000_020B))
                == "admin \(session.handle)")
    }

    /// Cookies say nothing about requests to workloads.
    @Test func workloadsNeverSeeThem() async throws {
        let world = try PipelineWorld()
        let session = try await session(world, of: PipelineWorld.adminText)
        var input = PipelineWorld.input()
        input.headers.append(name: "cookie", value: Self.cookie(session).1)
        #expect(PipelineWorld.text(await world.pipeline.decide(input)) == "401 auth.missing_token")
    }
}
