// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import TestSupport
internal import Testing

/// What the plan must include is decided from the snapshot, and the ledger is not asked.
@Suite struct PlanCheckTests {
    struct Row: Sendable, CustomTestStringConvertible {
        /// Nil = of no account.
        let tenant: String?
        let path: String
        let code: ErrorCode?
        var message = ""
        /// The plan that would do.
        var upgrade: String?

        var testDescription: String { "\(tenant ?? "nobody") at \(path)" }
    }

    static let rows = [
        Row(tenant: "acme", path: "/pro", code: nil),
        Row(
            tenant: "other", path: "/pro", code: .billingPlanRequired, message: "Plan 'pro' is required", upgrade: "pro"
        ),
        Row(
            tenant: "late", path: "/pro", code: .billingInactiveSubscription,
            message: "Plan 'enterprise' was bought and is not in force", upgrade: "enterprise"),
        Row(tenant: "acme", path: "/gone", code: .billingPlanRequired, message: "Plan 'platinum' is required"),
        Row(tenant: "late", path: "/gone", code: .billingPlanRequired, message: "Plan 'platinum' is required"),
        Row(tenant: "acme", path: "/advanced", code: nil),
        Row(
            tenant: "other", path: "/advanced", code: .billingModelTierNotAvailable,
            message: "Plan 'free' does not include models of tier 'advanced'", upgrade: "pro"),
        Row(
            tenant: "acme", path: "/experts", code: .billingPremiumAgentNotAvailable,
            message: "Plan 'pro' does not include premium agents", upgrade: "enterprise"),
        Row(
            tenant: "acme", path: "/all", code: .billingPlanRequired, message: "Plan 'enterprise' is required",
            upgrade: "enterprise"),
        Row(tenant: nil, path: "/pro", code: .billingAccountNotFound, message: "There is no such account"),
        Row(tenant: nil, path: "/task", code: .billingAccountNotFound, message: "There is no such account"),
    ]

    @Test(arguments: rows) func decidesByTheSnapshotAlone(_ row: Row) async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("GET", row.path, token: try await gate.token(row.tenant))
        #expect(decision.refusal?.code == row.code)
        #expect(gate.service.asked.isEmpty)
        guard let code = row.code else {
            #expect(decision.entitlement?.plan == "pro")
            return
        }
        #expect(decision.refusal?.message == row.message)
        #expect(decision.status == code.status)
        let prices: [String: Int64] = ["pro": 49_000_000, "enterprise": 199_000_000]
        let upgrade: JSONValue =
            row.upgrade.map {
                ["plan": .string($0), "price": .int(prices[$0] ?? 0), "url": .string("/dashboard/billing?plan=\($0)")]
            } ?? .null
        #expect(
            decision.refusal?.details == [
                "remaining": .null, "limit": .null, "unit": .null, "resets_at": .null, "upgrade": upgrade,
            ])
    }

    /// Credentials of a suspended account are refused before; others may still name it.
    @Test(arguments: ["/pro", "/task", "/all"]) func aSuspendedAccountIsRefusedBeforeAnythingElse(
        _ path: String
    ) async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("GET", path, token: try await gate.token()) {
            $0.usage = StatedUsage(action: .task, account: "closed")
        }
        #expect(decision.refusal?.code == .billingAccountSuspended)
        #expect(decision.refusal?.message == "The account is suspended")
        #expect(
            decision.refusal?.details == [
                "remaining": .null, "limit": .null, "unit": .null, "resets_at": .null, "upgrade": .null,
            ])
        #expect(gate.service.asked.isEmpty)
    }

    @Test func nothingIsAskedForWhoeverIsNotKnown() async throws {
        let gate = try MeteredWorld()
        let decision = await gate.decide("GET", "/task", token: nil) { $0.usage = StatedUsage(action: .task) }
        #expect(decision.refusal?.code == .authMissingToken)
        #expect(gate.service.asked.isEmpty)
    }

    @Test func aSubscriptionThatEndedCountsAsBought() async throws {
        let gate = try MeteredWorld()
        let end = gate.world.clock.now()
        try gate.world.publish(
            MeteredWorld.manifests,
            accounts: AccountTable(
                states: ["acme": MeteredWorld.state("pro", MeteredWorld.pro, validUntil: end)],
                fallback: MeteredWorld.accounts.fallback, offers: MeteredWorld.offers))
        let decision = await gate.decide("GET", "/pro", token: try await gate.token())
        #expect(decision.refusal?.code == .billingInactiveSubscription)
        #expect(decision.refusal?.details?["upgrade"]?["plan"] == "pro")
    }

    @Test func withoutACatalogueNothingThatIsRequiredIsIncluded() async throws {
        let gate = try MeteredWorld()
        try gate.world.publish(MeteredWorld.manifests)
        let token = try await gate.token()
        for path in ["/pro", "/advanced", "/experts"] {
            let decision = await gate.decide("GET", path, token: token)
            #expect(decision.refusal?.details?["upgrade"] == .null, "\(path)")
        }
    }
}
