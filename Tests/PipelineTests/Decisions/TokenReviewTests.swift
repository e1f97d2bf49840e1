// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

/// Decisions about callers whom only the cluster knows.
@Suite struct TokenReviewTests {
    private static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: cluster}
        spec:
          hosts: [api.example.com]
          mode: required
          tokenReview: {enabled: true, audiences: [api]}
          mappings:
            - {subject: "system:serviceaccount:ci:*", roles: [viewer], scopes: ["tasks:read"]}
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/public/**", public: true}
              - {methods: [GET], path: "/tasks/{id}", permission: "tasks:read"}
              - {methods: [DELETE], path: "/tasks/{id}", permission: "tasks:delete"}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: plain}
        spec: {hosts: [plain.example.com], mode: required}
        """
    private static let builder = "200 system:serviceaccount:ci:builder"

    /// Runs the body while the cluster can be asked.
    private static func with(
        engine: (any PolicyEngine)? = nil, _ body: @Sendable (PipelineWorld, FakeReviewer) async throws -> Void
    ) async throws {
        let reviewer = FakeReviewer()
        let world = try PipelineWorld(manifests: manifests, engine: engine, reviewer: reviewer)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await world.reviews?.run() }
            defer { group.cancelAll() }
            try await body(world, reviewer)
        }
    }

    @Test func theClusterIsAskedOnceForManyRequests() async throws {
        try await Self.with { world, reviewer in
            let token = try FakeReviewer.token(world)
            for _ in 0..<3 { #expect(await world.outcome(token: token) == Self.builder) }
            #expect(await world.outcome("DELETE", token: token) == "403 policy.permission_denied")
            #expect(reviewer.asked == 1)
            let decision = await world.pipeline.decide(PipelineWorld.input(token: token))
            #expect(decision.principal.authSource == .kubernetes)
            #expect(decision.credentialHeader == "authorization")
            // Every decision is recorded once, also the one that was begun twice.
            let entries = world.audit.entries
            #expect(entries.allowed.count + entries.queued.count + entries.durable.count == 5)
            #expect(
                try world.count(
                    "tollgate_auth_attempts_total",
                    [("source", "authorization"), ("result", "success"), ("code", "")]) == 5)
        }
    }

    @Test func whoeverItDoesNotKnowIsNobody() async throws {
        try await Self.with { world, reviewer in
            reviewer.be(.knowsNobody)
            let token = try FakeReviewer.token(world)
            #expect(await world.outcome(token: token) == "401 auth.invalid_token")
            #expect(await world.outcome(token: token) == "401 auth.invalid_token")
            #expect(reviewer.asked == 1)
            #expect(
                try world.count(
                    "tollgate_auth_attempts_total",
                    [("source", "authorization"), ("result", "failure"), ("code", "auth.invalid_token")]) == 2)
        }
    }

    @Test func withoutAnAnswerNobodyGetsInButToWhatIsPublic() async throws {
        try await Self.with { world, reviewer in
            reviewer.be(.isAway)
            let token = try FakeReviewer.token(world)
            let decision = await world.pipeline.decide(PipelineWorld.input(token: token))
            #expect(decision.refusal?.code == .authReviewUnavailable)
            #expect(decision.refusal?.retryAfterSeconds == 1)
            #expect(await world.outcome("GET", "api.example.com", "/public/x", token: token) == "200 anonymous")
            #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
        }
    }

    @Test func aSlowClusterRunsOutOfItsOwnTime() async throws {
        try await Self.with { world, reviewer in
            reviewer.be(.isSilent)
            let token = try FakeReviewer.token(world)
            async let outcome = world.outcome(token: token)
            try await Eventually.holds("request and question to wait") { world.reviewTime.sleepers == 2 }
            world.reviewTime.advance(by: .seconds(2))
            #expect(await outcome == "503 auth.review_unavailable")
            #expect(reviewer.asked == 1)
        }
    }

    @Test func elsewhereTheClusterIsNotAsked() async throws {
        try await Self.with { world, reviewer in
            let token = try FakeReviewer.token(world)
            #expect(await world.outcome("GET", "plain.example.com", token: token) == "401 auth.invalid_token")
            #expect(await world.outcome(token: PipelineWorld.adminText) == "200 admin")
            #expect(reviewer.asked == 0)
        }
    }

    @Test func anEngineIsAskedAboutWhomTheClusterKnows() async throws {
        let engine = FakeEngine(.decision(allow: true, reasons: [], effectiveRoles: ["viewer"]))
        try await Self.with(engine: engine) { world, reviewer in
            let token = try FakeReviewer.token(world)
            #expect(await world.outcome(token: token) == Self.builder)
            #expect(engine.calls.count == 1)
            #expect(engine.calls.first?.question.input["user"]?["user_id"] == "system:serviceaccount:ci:builder")
        }
    }

    @Test func anExplanationTellsWhatTheClusterSaid() async throws {
        try await Self.with { world, reviewer in
            var input = PipelineWorld.input(token: try FakeReviewer.token(world))
            input.explain = true
            let decision = await world.pipeline.decide(input)
            let steps = decision.steps.filter { $0.name == "authenticate" }
            #expect(steps.count == 1)
            #expect(steps.first?.detail.contains("TokenReview") == true)
            #expect(decision.steps.map(\.name).count == Set(decision.steps.map(\.name)).count)
        }
    }

    @Test func theOwnAPITakesTheTokensOfItsAuthConfig() async throws {
        try await Self.with { world, reviewer in
            let address = try #require(IPAddress("192.0.2.10"))
            func admitted(_ token: String) async -> String {
                let admission = await world.pipeline.admit(
                    OwnRequest(
                        method: "GET", target: "/v1/auth/me",
                        headers: HeaderList([("authorization", "Bearer \(token)")]),
                        clientAddress: address, clientIsTrustedProxy: false,
                        clientCertificate: nil, requestID: "request-1"))
                switch admission {
                case .allowed(let caller): return "200 \(caller.principal.subject)"
                case .refused(let refusal, _, _, _, _): return "\(refusal.status) \(refusal.code.rawValue)"
                }
            }
            let token = try FakeReviewer.token(world)
            #expect(await admitted(token) == "401 auth.invalid_token")
            try world.publish(Self.manifests, apiAuthConfig: "default/cluster")
            #expect(await admitted(token) == Self.builder)
            #expect(await admitted(token) == Self.builder)
            #expect(reviewer.asked == 1)
            reviewer.be(.isAway)
            let other = try FakeReviewer.token(world, number: 1)
            #expect(await admitted(other) == "503 auth.review_unavailable")
        }
    }
}
