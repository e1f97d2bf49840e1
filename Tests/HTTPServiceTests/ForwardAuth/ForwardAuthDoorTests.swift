// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import TestSupport
internal import Testing

@Suite struct ForwardAuthDoorTests {
    private static let forwarded = [
        ("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", "api.example.com"), ("X-Forwarded-Uri", "/v1/x"),
        ("X-Forwarded-For", "203.0.113.7"),
    ]

    @Test(arguments: [
        "/v1/forward-auth", "/v1/forward-auth/nginx", "/v1/forward-auth/traefik", "/v1/forward-auth/caddy",
        "/v1/forward-auth/envoy/x", "/oauth2/auth",
    ])
    func refusesWhoIsNoTrustedProxy(_ path: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, path, Self.forwarded)
        #expect(reply.status == 403)
        #expect(reply.code == "decision.untrusted_proxy")
        #expect(reply.message?.contains("TOLLGATE_TRUSTED_PROXIES") == true)
        #expect(gate.decider.inputs.isEmpty)
        #expect(gate.audit.queued.first?.metadata["code"] == "decision.untrusted_proxy")
        #expect(String(decoding: gate.registry.text(), as: UTF8.self).contains("tollgate_decision_untrusted_total 1"))
    }

    @Test func asksThePipelineAndAnswersWithoutABody() async throws {
        let gate = Gate.behindProxy()
        let reply = try await gate.send(
            .post, "/v1/forward-auth/traefik",
            Self.forwarded + [("X-Tollgate-Resource-Tenant", "acme"), ("X-Request-Id", "from-the-proxy")])
        let input = try #require(gate.decider.inputs.first)
        #expect(reply.status == 200)
        #expect(reply.text.isEmpty)
        #expect(reply["X-Tollgate-Subject"] == "ci")
        #expect(reply["X-Request-Id"] == "from-the-proxy")
        #expect(reply["Cache-Control"] == "no-store")
        #expect(input.method == "GET")
        #expect(input.host == "api.example.com")
        #expect(input.target == "/v1/x")
        #expect(input.scheme == "https")
        #expect(input.clientAddress == IPAddress("203.0.113.7"))
        #expect(!input.clientIsTrustedProxy)
        #expect(input.resource.tenant == "acme")
        #expect(input.requestID == "from-the-proxy")
    }

    @Test func refusesWithTheEnvelopeAndTheReason() async throws {
        let gate = Gate.behindProxy(FakeDecider(decide: FakeDecider.refused(Refusal(.authMissingToken))))
        let reply = try await gate.send(.get, "/v1/forward-auth/caddy", Self.forwarded)
        #expect(reply.status == 401)
        #expect(reply.code == "auth.missing_token")
        #expect(reply["WWW-Authenticate"] == "Bearer")
        #expect(reply["X-Auth-Reason"] == "auth.missing_token")
        #expect(reply["X-Ext-Auth-Reason"] == "Missing bearer token")
        #expect(reply["X-Auth-Status"] == "401")
        #expect(reply["Content-Type"] == "application/json")
    }

    @Test func answersAFaultOfTheOriginInTheDoorsDialect() async throws {
        let gate = Gate.behindProxy()
        let reply = try await gate.send(
            .get, "/v1/forward-auth/nginx",
            [("X-Original-URL", "https://a.example/"), ("X-Forwarded-Host", "b.example")])
        #expect(reply.status == 403)
        #expect(reply.code == "request.conflicting_origin")
        #expect(reply["X-Auth-Status"] == "400")
        #expect(gate.audit.queued.count == 1)
    }

    @Test func keepsTheStatusOfWhatCannotBeDecided() async throws {
        let gate = Gate.behindProxy(FakeDecider(decide: FakeDecider.refused(Refusal(.decisionNotReady))))
        for path in ["/v1/forward-auth/nginx", "/v1/forward-auth/traefik", "/oauth2/auth"] {
            let reply = try await gate.send(.get, path, Self.forwarded)
            #expect(reply.status == 503)
            #expect(reply.code == "decision.not_ready")
        }
    }

    @Test func answersOAuth2WithAccepted() async throws {
        let gate = Gate.behindProxy()
        #expect(try await gate.send(.get, "/oauth2/auth").status == 202)
        let reply = try await gate.send(.post, "/oauth2/auth")
        #expect(reply.status == 405)
        #expect(reply.code == "request.method_not_allowed")
    }

    @Test func refusesABodyThatIsTooLargeBeforeDeciding() async throws {
        let gate = Gate.behindProxy()
        let reply = try await gate.send(
            .post, "/v1/forward-auth/traefik", Self.forwarded, body: String(repeating: "x", count: 65_537))
        #expect(reply.status == 413)
        #expect(reply.code == "request.too_large")
        #expect(reply["Connection"] == "close")
        #expect(gate.decider.inputs.isEmpty)
    }

    @Test(arguments: ["/v1/forward-auth/other", "/v1/forward-auth/", "/elsewhere", "/v1/service-tokens"])
    func knowsNoOtherPathOnAListenerOfItsOwn(_ path: String) async throws {
        var gate = Gate.behindProxy()
        gate.duties = .forwardAuth
        let reply = try await gate.send(.get, path, Self.forwarded)
        #expect(reply.status == 404)
        #expect(reply.code == "request.not_found")
    }

    @Test func answersHeadLikeGet() async throws {
        let gate = Gate.behindProxy(FakeDecider(decide: FakeDecider.refused(Refusal(.authInvalidToken))))
        let reply = try await gate.send(.head, "/v1/forward-auth/traefik", Self.forwarded)
        #expect(reply.status == 401)
        #expect(reply.text.isEmpty)
        #expect(reply["WWW-Authenticate"] == "Bearer error=\"invalid_token\"")
    }

    @Test func refusesMoreThanItMayDecideAtOnce() async throws {
        var gate = Gate.behindProxy()
        gate.settings.maxDecisionsInFlight = 0
        let reply = try await gate.send(.get, "/v1/forward-auth/traefik", Self.forwarded)
        #expect(reply.status == 503)
        #expect(reply.code == "decision.overloaded")
        #expect(reply["Retry-After"] == "1")
        #expect(gate.decider.inputs.isEmpty)
    }

    @Test func refusesADecisionThatCameTooLate() async throws {
        var gate = Gate.behindProxy()
        gate.settings.decisionTimeout = .nanoseconds(-1)
        let reply = try await gate.send(.get, "/v1/forward-auth/traefik", Self.forwarded)
        #expect(reply.status == 503)
        #expect(reply.code == "decision.timeout")
    }

    @Test func ignoresCertificatesAndRequestIDsOfStrangers() async throws {
        var gate = Gate.behindProxy()
        _ = try await gate.send(
            .get, "/v1/forward-auth/traefik", Self.forwarded + [("X-Forwarded-Client-Cert", "URI=spiffe://a/b")])
        #expect(gate.decider.inputs.first?.clientCertificate == "URI=spiffe://a/b")
        gate.peer = "192.0.2.10"
        let reply = try await gate.send(
            .get, "/v1/auth/me", [("X-Forwarded-Client-Cert", "URI=spiffe://a/b"), ("X-Request-Id", "spoofed-id-1")])
        #expect(gate.decider.own.last?.clientCertificate == nil)
        #expect(reply["X-Request-Id"] != "spoofed-id-1")
        #expect(reply["X-Request-Id"]?.count == 36)
    }
}
