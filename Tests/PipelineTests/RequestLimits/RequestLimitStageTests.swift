// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import Metrics
internal import MetricsTestKit
internal import Pipeline
internal import TestSupport
internal import Testing

/// The step of request limits in the real pipeline.
@Suite struct RequestLimitStageTests {
    private static let host = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: limited}
        spec:
          hosts: [limited.example.com]
          mode: optional
          rate: RATE
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/me", authenticated: true}
              - {methods: [GET], path: "/public", public: true}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: plain}
        spec:
          hosts: [plain.example.com]
          mode: required
          policy: {builtinRoutes: false, routes: [{methods: [GET], path: "/me", authenticated: true}]}
        """

    private let metrics = TestMetrics()

    private func world(
        rate: String = "{day: 1000000}", accounts: AccountTable = .empty, refusing step: DecisionStep? = nil,
        log: StageLog = StageLog()
    ) throws -> PipelineWorld {
        let store = MemoryRequestLimitStore(maxKeys: 1000, metricsFactory: metrics)
        var stages: [any AdmissionStage] = [RequestLimitStage(store: store, metricsFactory: metrics)]
        if let step { stages.append(FakeStage(step: step, log: log, refusal: Refusal(.authRateLimitedIdentity))) }
        let world = try PipelineWorld(manifests: nil, stages: stages)
        try world.publish(Self.host.replacing("RATE", with: rate), accounts: accounts)
        return world
    }

    private static func accounts(_ state: AccountState, for account: String = "acme") -> AccountTable {
        AccountTable(
            states: [account: state],
            fallback: AccountState(plan: "free", isSubscribed: false, rate: RequestRate(minute: 1), apiKeys: 2))
    }

    private func token(_ world: PipelineWorld, _ name: String = "ci", tenant: String? = "acme") async throws -> String {
        var grant = ServiceTokenGrant()
        grant.tenantID = tenant
        return try await world.token(name, grant)
    }

    private func decide(
        _ world: PipelineWorld, _ token: String, host: String = "plain.example.com", _ path: String = "/me"
    )
        async -> Decision
    { await world.pipeline.decide(PipelineWorld.input("GET", host, path, token: token)) }

    @Test func aSubscribedAccountLimitsEachSubject() async throws {
        let state = AccountState(
            plan: "pro", isSubscribed: true, rate: RequestRate(minute: 2, hour: 100), apiKeys: nil)
        let world = try world(accounts: Self.accounts(state))
        let (first, second) = (try await token(world, "one"), try await token(world, "two"))
        let admitted = await decide(world, first)
        #expect(admitted.refusal == nil)
        #expect(admitted.limits?.told == .init(name: .minute, limit: 2, remaining: 1, reset: 1_772_366_460))
        #expect(admitted.limits?.windows.map(\.remaining) == [1, 99])
        _ = await decide(world, first)
        world.clock.advance(seconds: 12)
        let refused = await decide(world, first)
        #expect(refused.refusal?.code == .rateLimited)
        #expect(refused.refusal?.message == "Rate limit exceeded")
        #expect(refused.refusal?.retryAfterSeconds == 48)
        #expect(refused.limits?.told.remaining == 0)
        #expect(await decide(world, second).refusal == nil, "each subject has its own windows")
        world.clock.advance(seconds: 48)
        #expect(await decide(world, first).refusal == nil)
        let counter = try metrics.expectCounter("tollgate_rate_limited_total", [("limit", "subject")])
        #expect(counter.totalValue == 1)
    }

    @Test func whoeverHasNoSubscriptionMeetsNoLimit() async throws {
        let state = AccountState(plan: "pro", isSubscribed: true, rate: RequestRate(minute: 1), apiKeys: nil)
        let world = try world(accounts: Self.accounts(state, for: "other"))
        for name in [try await token(world), try await token(world, "none", tenant: nil), PipelineWorld.adminText] {
            for _ in 0..<3 {
                let decision = await decide(world, name)
                #expect(decision.refusal == nil)
                #expect(decision.limits == nil)
            }
        }
    }

    @Test func theAccountLimitsAllItsCallersTogether() async throws {
        let state = AccountState(
            plan: "pro", isSubscribed: true, rate: RequestRate(minute: 10), accountRate: RequestRate(minute: 3),
            apiKeys: nil)
        let world = try world(accounts: Self.accounts(state))
        let tokens = [try await token(world, "one"), try await token(world, "two")]
        for index in 0..<3 { #expect(await decide(world, tokens[index % 2]).refusal == nil) }
        let refused = await decide(world, tokens[1])
        #expect(refused.refusal?.code == .rateLimited)
        #expect(refused.limits?.told.limit == 3)
    }

    @Test func anAuthConfigLimitsAllItsCallers() async throws {
        let world = try world(rate: "{minute: 2}")
        let host = "limited.example.com"
        #expect(await decide(world, PipelineWorld.adminText, host: host).limits?.told.remaining == 1)
        #expect(await decide(world, try await token(world), host: host).refusal == nil)
        #expect(await decide(world, PipelineWorld.adminText, host: host).refusal?.code == .rateLimited)
        #expect(
            await decide(world, PipelineWorld.adminText, host: host, "/public").refusal == nil, "public routes are free"
        )
        #expect(await decide(world, PipelineWorld.adminText).refusal == nil, "another host has its own")
        let closed = try self.world(rate: "{minute: 0}")
        let refused = await decide(closed, PipelineWorld.adminText, host: host)
        #expect(refused.refusal?.code == .rateLimited)
        #expect(refused.refusal?.retryAfterSeconds == 60)
    }

    @Test func aLaterRefusalGivesBackWhatWasCounted() async throws {
        let world = try world(rate: "{minute: 1}", refusing: .meter)
        for _ in 0..<3 {
            let decision = await decide(world, PipelineWorld.adminText, host: "limited.example.com")
            #expect(decision.refusal?.code == .authRateLimitedIdentity)
        }
        let away = try self.world(rate: "{minute: 1}")
        away.audit.become(.away)
        for _ in 0..<3 {
            let decision = await decide(away, PipelineWorld.adminText, host: "limited.example.com")
            #expect(decision.refusal?.code == .auditUnavailable)
        }
    }

    /// 64 tasks through the real pipeline: of any sixty parts in a row exactly as many pass as may.
    @Test func isExactUnderLoad() async throws {
        let world = try world(rate: "{minute: 150}")
        let token = PipelineWorld.adminText
        for round in 0..<3 {
            let admitted = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        var count = 0
                        for _ in 0..<5
                        where await decide(world, token, host: "limited.example.com").refusal == nil { count += 1 }
                        return count
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(admitted == (round == 1 ? 0 : 150), "round \(round)")
            // First to the last part in which the window is full, then to the first in which it is empty.
            world.clock.advance(seconds: round == 0 ? 59 : 1)
        }
    }

    @Test func aLookTakesNothingAndSaysWhatIsThere() async throws {
        let world = try world(rate: "{minute: 1}")
        var input = PipelineWorld.input("GET", "limited.example.com", "/me", token: PipelineWorld.adminText)
        input.dryRun = true
        input.explain = true
        for _ in 0..<3 {
            let decision = await world.pipeline.decide(input)
            #expect(decision.refusal == nil)
            let step = decision.steps.first { $0.name == "request_limit" }
            #expect(step?.detail.contains("auth_config minute: 1 of 1 left") == true)
        }
    }
}

extension String {
    fileprivate func replacing(_ old: String, with new: String) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasSuffix(old) ? line.dropLast(old.count) + new : line
        }.joined(separator: "\n")
    }
}
