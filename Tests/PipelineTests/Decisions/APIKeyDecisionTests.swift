// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

@Suite struct APIKeyDecisionTests {
    private static let caller = TokenCaller(
        principal: Principal(
            subject: "u1", identityType: .user, authSource: .jwt, tenantID: "acme", roles: ["editor"],
            issuer: "https://id.example"), admin: false
    ) { _ in true }

    private static func input(_ text: String, asKey: Bool, _ target: String = "/tasks/t1") -> DecisionInput {
        var input = PipelineWorld.input("GET", "api.example.com", target, token: asKey ? nil : text)
        if asKey { input.headers.append(name: "x-api-key", value: text) }
        return input
    }

    @Test func decidesByKeyInEitherHeader() async throws {
        let world = try PipelineWorld()
        let made = try await world.keys.create(CreateAPIKey(name: "a"), caller: Self.caller)
        let text = try #require(made.key?.revealed)
        for asKey in [true, false] {
            let decision = await world.pipeline.decide(Self.input(text, asKey: asKey))
            #expect(PipelineWorld.text(decision) == "200 u1")
            #expect(decision.principal.authSource == .apiKey && decision.principal.tenantID == "acme")
            #expect(decision.credentialHeader == (asKey ? "x-api-key" : "authorization"))
        }
        #expect(
            PipelineWorld.text(await world.pipeline.decide(Self.input(text, asKey: true, "/tenants/acme/tasks")))
                == "200 u1")
        #expect(
            PipelineWorld.text(await world.pipeline.decide(Self.input(text, asKey: true, "/tenants/other/tasks")))
                == "403 policy.tenant_denied")
        #expect(
            PipelineWorld.text(await world.pipeline.decide(Self.input(text, asKey: true, "/platform")))
                == "403 policy.platform_required")
    }

    @Test func capsByScopesAndRoles() async throws {
        let world = try PipelineWorld()
        let narrow = try await world.keys.create(
            CreateAPIKey(name: "a", scopes: ["projects:read"]), caller: Self.caller)
        let text = try #require(narrow.key?.revealed)
        let decision = await world.pipeline.decide(Self.input(text, asKey: true))
        #expect(PipelineWorld.text(decision) == "403 policy.scope_denied")
        #expect(decision.policy?.reasons == ["api key scope does not permit action"])
    }

    @Test func countsDecisionsButNoDryRuns() async throws {
        let world = try PipelineWorld()
        let made = try await world.keys.create(CreateAPIKey(name: "a"), caller: Self.caller)
        let text = try #require(made.key?.revealed)
        for target in ["/tasks/t1", "/tasks/t2", "/platform", "/nowhere"] {
            _ = await world.pipeline.decide(Self.input(text, asKey: true, target))
        }
        var dry = Self.input(text, asKey: true)
        dry.dryRun = true
        _ = await world.pipeline.decide(dry)
        _ = await world.pipeline.decide(Self.input(String(text.dropLast()) + "!", asKey: true))
        let query = try APIKeyUsageQuery(query: [:], now: world.clock.now())
        let report = try await world.keys.usage(made.record.id, query, caller: Self.caller).json
        #expect(
            report["totals"] == [
                "requests": 4, "denied": 2, "rate_limited": 0, "by_status": ["200": 2, "403": 2],
            ])
        #expect(report["last_used_at"] == .string(world.clock.now().rfc3339))
    }

    @Test func refusesStoredCredentialsOfSuspendedAccounts() async throws {
        let world = try PipelineWorld()
        let made = try await world.keys.create(CreateAPIKey(name: "a"), caller: Self.caller)
        let text = try #require(made.key?.revealed)
        let token = try await world.token("ci", ServiceTokenGrant(scopes: ["tasks:read"], tenantID: "acme"))
        let present = try #require(world.snapshots.current())
        var state = AccountState(plan: "free", isSubscribed: true, rate: RequestRate(), apiKeys: nil)
        let fallback = state
        state.isSuspended = true
        let accounts = AccountTable(states: ["acme": state], fallback: fallback)
        _ = world.snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: present.builtAt, hosts: present.hosts,
                authConfigs: present.authConfigs, policy: present.policy, ownRealm: present.ownRealm,
                accounts: accounts, resources: [])
        }
        let decision = await world.pipeline.decide(Self.input(text, asKey: true))
        #expect(PipelineWorld.text(decision) == "403 auth.account_suspended")
        #expect(decision.refusal?.message == "Account is suspended")
        #expect(await world.outcome(token: token) == "403 auth.account_suspended")
        var request = OwnRequest(
            method: "GET", target: "/v1/api-keys", headers: HeaderList(), clientAddress: IPAddress(ipv4: 1),
            clientIsTrustedProxy: false, clientCertificate: nil, requestID: "r")
        request.headers.append(name: "x-api-key", value: text)
        guard case .refused(let refusal, _, _, _, _) = await world.pipeline.admit(request) else {
            Issue.record("it is admitted")
            return
        }
        #expect(refusal.code == .authAccountSuspended)
    }
}
