// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import MetricsTestKit
internal import Pipeline
internal import TestSupport

/// The real pipeline with the step of entitlement over a host that meters its routes, and three accounts on plans of their own.
struct MeteredWorld {
    static let host = "metered.example.com"
    static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: metered}
        spec:
          hosts: [metered.example.com]
          mode: optional
          rate: {minute: 3}
          metering: {action: task}
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/task", authenticated: true}
              - {methods: [GET], path: "/free", authenticated: true, metering: {action: none}}
              - {methods: [GET], path: "/public", public: true}
              - methods: [POST]
                path: "/chat"
                authenticated: true
                metering: {action: tokens, model: gpt-4o, estimate: {input: 1000, maxOutput: 500}, microCreditsPerRequest: 7}
              - {methods: [POST], path: "/agents/{id}", authenticated: true, metering: {action: agent.hire}}
              - {methods: [POST], path: "/workers/{id}", authenticated: true, metering: {action: slot, slot: worker}}
              - {methods: [GET], path: "/pro", authenticated: true, metering: {requires: {plan: pro}}}
              - {methods: [GET], path: "/gone", authenticated: true, metering: {requires: {plan: platinum}}}
              - {methods: [GET], path: "/advanced", authenticated: true, metering: {requires: {modelTier: advanced}}}
              - {methods: [GET], path: "/experts", authenticated: true, metering: {requires: {premiumAgents: true}}}
              - methods: [GET]
                path: "/all"
                authenticated: true
                metering: {action: task, requires: {plan: enterprise, modelTier: advanced, premiumAgents: true}}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: plain}
        spec:
          hosts: [plain.example.com]
          mode: required
          policy: {builtinRoutes: false, routes: [{methods: [GET], path: "/task", authenticated: true}]}
        """

    static let free = PlanFeatures(modelTiers: ["basic"])
    static let pro = PlanFeatures(modelTiers: ["basic", "advanced"])
    static let enterprise = PlanFeatures(modelTiers: ["basic", "advanced"], premiumAgents: true)
    static let offers = [
        PlanOffer(name: "free", rank: 0, priceMicroUSD: 0, features: free),
        PlanOffer(name: "pro", rank: 10, priceMicroUSD: 49_000_000, features: pro),
        PlanOffer(name: "enterprise", rank: 20, priceMicroUSD: 199_000_000, features: enterprise),
    ]

    static func state(
        _ plan: String, _ features: PlanFeatures, isSuspended: Bool = false, validUntil: Timestamp? = nil,
        bought: String? = nil
    ) -> AccountState {
        AccountState(
            plan: plan, isSubscribed: true, rate: RequestRate(), apiKeys: nil, isSuspended: isSuspended,
            validUntil: validUntil, features: features, boughtPlan: bought)
    }

    /// On the fallback plan until the year 9999, then on another.
    private static var late: AccountState {
        var late = state("free", free, bought: "enterprise")
        late.validUntil = Timestamp.latest
        late.following = [state("pro", pro)]
        return late
    }

    /// `acme` is on pro, `late` has bought enterprise and does not have it; everybody else is on free.
    static let accounts = AccountTable(
        states: [
            "acme": state("pro", pro), "late": late,
            "closed": state("enterprise", enterprise, isSuspended: true),
        ],
        fallback: AccountState(plan: "free", isSubscribed: false, rate: RequestRate(), apiKeys: 2, features: free),
        offers: offers)

    let world: PipelineWorld
    let service: FakeEntitlements
    let metrics = TestMetrics()

    init(
        service: FakeEntitlements? = FakeEntitlements(), ledger: (any EntitlementService)? = nil,
        later: (any AdmissionStage)? = nil, timeout: Duration = .seconds(3600)
    ) throws {
        self.service = service ?? FakeEntitlements()
        let store = MemoryRequestLimitStore(maxKeys: 1000, metricsFactory: metrics)
        var stages: [any AdmissionStage] = [
            RequestLimitStage(store: store, metricsFactory: metrics),
            EntitlementStage(
                service: ledger ?? service, upgradeURL: "/dashboard/billing", metricsFactory: metrics),
        ]
        if let later { stages.append(later) }
        world = try PipelineWorld(manifests: nil, stages: stages, settings: PipelineSettings(timeout: timeout))
        try world.publish(Self.manifests, accounts: Self.accounts)
    }

    /// A token of that tenant.
    func token(_ tenant: String? = "acme") async throws -> String {
        var grant = ServiceTokenGrant()
        grant.tenantID = tenant
        return try await world.token("ci-\(tenant ?? "none")", grant)
    }

    func decide(
        _ method: String, _ path: String, token: String?, host: String = Self.host,
        _ change: (inout DecisionInput) -> Void = { _ in }
    ) async -> Decision {
        var input = PipelineWorld.input(method, host, path, token: token)
        change(&input)
        return await world.pipeline.decide(input)
    }

    func count(_ action: String, _ result: String, _ code: String = "") throws -> Int64 {
        try metrics.expectCounter(
            "tollgate_billing_decisions_total", [("action", action), ("result", result), ("code", code)]
        ).totalValue
    }
}
