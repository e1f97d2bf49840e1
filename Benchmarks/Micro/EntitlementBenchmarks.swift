// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Billing
internal import Essentials
internal import HTTPService
internal import Pipeline
internal import RuntimeState

/// What the step of entitlement adds to a decision, with a ledger that answers from memory.
extension MicroBenchmarks {
    mutating func measureEntitlement(in folder: String) async throws {
        let plans = [
            PlanOffer(name: "free", rank: 0, priceMicroUSD: 0, features: PlanFeatures(modelTiers: ["basic"])),
            PlanOffer(
                name: "pro", rank: 10, priceMicroUSD: 1, features: PlanFeatures(modelTiers: ["basic", "standard"])),
        ]
        let state = AccountState(
            plan: "pro", isSubscribed: true, rate: RequestRate(), apiKeys: nil, features: plans[1].features)
        let accounts = AccountTable(
            states: Dictionary(uniqueKeysWithValues: (0..<1000).map { ("tenant-\($0)", state) }), fallback: state,
            offers: plans)
        let required = CompiledMetering.Requirements(plan: "pro", modelTier: "standard")
        let meterings = [
            ("not metered, stage there", nil),
            ("what the plan includes", CompiledMetering(action: .none, requirements: required)),
            (
                "tokens reserved in memory",
                CompiledMetering(
                    action: .tokens, model: "gpt-4o", requirements: required,
                    estimate: TokenEstimate(input: 1000, maxOutput: 500))
            ),
        ]
        for (index, (name, metering)) in meterings.enumerated() {
            let stage = EntitlementStage(
                service: MemoryEntitlements(), upgradeURL: "/dashboard/billing", metricsFactory: PrometheusRegistry())
            let gate = try Gate(
                credentials: credentials, directory: "\(folder)/entitlement-\(index)", stages: [stage],
                metering: metering, accounts: accounts)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await gate.audit.run() }
                try await measureKeys("decision: API key, \(name)", at: gate)
                await gate.audit.close()
                try await group.waitForAll()
            }
        }
    }

    private mutating func measureKeys(_ name: String, at gate: Gate) async throws {
        let (credentials, clock) = (credentials, SystemWallClock())
        try await measure(
            name, count: 200_000,
            prepare: { index in
                credentials.keys.heard(at: clock.now())
                return Gate.request(bearer: credentials.keyTexts[index % 4000])
            },
            operation: { try await Self.decide($0, at: gate) })
    }
}

/// A ledger that grants everything at once.
private struct MemoryEntitlements: EntitlementService {
    func decide(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal> {
        .success(
            Entitlement(
                account: request.account, key: request.key, plan: "pro", remainingMicroCredits: 5_000_000,
                neededMicroCredits: 1500,
                reservation: Entitlement.Reservation(
                    id: "0197a000-0000-7000-8000-000000000000", heldMicroCredits: 1500, expiresAt: request.now)))
    }

    func giveBack(_ entitlement: Entitlement) async {}

    func preview(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal> { await decide(request) }
}
