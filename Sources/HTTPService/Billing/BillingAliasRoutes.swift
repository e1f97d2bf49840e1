// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// The older paths, with the shapes that their callers know. What they do is what the other endpoints do.
struct BillingAliasRoutes: Sendable {
    let services: BillingServices

    var routes: [OwnRoute] {
        [
            OwnRoute("GET", "/billing/subscription", .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .object(try await subscription(account))
            },
            OwnRoute("GET", "/billing/usage", .read) { call throws(Refusal) in try await usage(call) },
            OwnRoute("POST", "/billing/credits/add", .write) { call throws(Refusal) in try await addCredits(call) },
            OwnRoute("POST", "/billing/checkout/process", .write) { call throws(Refusal) in
                try await processCheckout(call)
            },
        ]
    }

    // MARK: Reading

    private func subscription(_ account: String) async throws(Refusal) -> JSONValue {
        let view = try await services.billing.view(account)
        let days = try await days(view, by: [])
        let tokens = days.reduce(Int64(0)) { $0.addingSaturated($1.amounts.tokens) }
        return Self.shown(view, tokens: tokens)
    }

    private static func shown(_ view: AccountView, tokens: Int64) -> JSONValue {
        let standing = view.standing
        return [
            "tier": .string(standing.plan.name), "status": .string(word(standing.state)),
            "max_agents": .int(standing.limits.agentSlots.max ?? -1),
            "current_agents": .int(view.book.counters.agents),
            "inference_credits": .int(whole(view.availableMicroCredits)),
            "inference_micro_credits": .int(view.availableMicroCredits), "current_period_tokens": .int(tokens),
            "current_period_start": .string(standing.period.start.rfc3339),
            "current_period_end": .string(standing.period.end.rfc3339),
            "auto_renew": .bool(!standing.cancelsAtPeriodEnd && standing.state != .canceled),
        ]
    }

    private func usage(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (_, account) = try call.billingQuery()
        let view = try await services.billing.view(account)
        let windows = try await days(view, by: [.model])
        let models = Self.sums(windows, \.model)
        let agents = Self.sums(try await days(view, by: [.agent]), \.agent)
        let tokens = windows.reduce(Int64(0)) { $0.addingSaturated($1.amounts.tokens) }
        let calls = windows.reduce(Int64(0)) { $0.addingSaturated($1.amounts.agentCalls) }
        let used = view.book.counters.period.usedMicroCredits
        return .json([
            "total_agent_requests": .int(calls), "total_tokens_consumed": .int(tokens),
            "agents_hired": .int(view.book.counters.agents),
            "agent_usage": .array(agents.filter { !$0.name.isEmpty }.map { Self.shown($0, named: "agent_id") }),
            "model_usage": .array(models.filter { !$0.name.isEmpty }.map { Self.shown($0, named: "model") }),
            "available_credits": .int(Self.whole(view.availableMicroCredits)),
            "available_micro_credits": .int(view.availableMicroCredits), "credits_used": .int(Self.whole(used)),
            "credits_used_micro_credits": .int(used), "subscription": Self.shown(view, tokens: tokens),
        ])
    }

    /// What was used on the UTC days that the present period touches.
    private func days(
        _ view: AccountView, by dimensions: Set<UsageDimension>
    ) async throws(Refusal) -> [UsageWindowDelta] {
        let from = UsageWindowDelta.Granularity.day.start(of: view.standing.period.start)
        // Events may be a little ahead.
        let to = view.asOf.adding(seconds: UsageIntake.maximumSecondsAhead)
        return try await services.rows(view.account) { reader in
            try reader.windows(.day, from: from, to: to, by: dimensions)
        }
    }

    /// How many models and agents an answer lists: those with the highest charges.
    private static let most = 1000

    private static func sums(
        _ windows: [UsageWindowDelta], _ name: (UsageDimensions) -> String
    ) -> [(name: String, amounts: UsageAmounts)] {
        var sums: [String: UsageAmounts] = [:]
        for window in windows { sums[name(window.dimensions), default: UsageAmounts()].add(window.amounts) }
        let sorted = sums.sorted {
            ($1.value.chargeMicroCredits, $0.key) < ($0.value.chargeMicroCredits, $1.key)
        }
        return sorted.prefix(most).map { (name: $0.key, amounts: $0.value) }
    }

    private static func shown(_ sum: (name: String, amounts: UsageAmounts), named name: String) -> JSONValue {
        .object([
            name: .string(sum.name), "requests": .int(sum.amounts.requests.addingSaturated(sum.amounts.agentCalls)),
            "tokens": .int(sum.amounts.tokens), "credits_used": .int(whole(sum.amounts.chargeMicroCredits)),
            "credits_used_micro_credits": .int(sum.amounts.chargeMicroCredits),
        ])
    }

    private static func word(_ state: SubscriptionState) -> String {
        switch state {
        case .active: "active"
        case .trialing: "trial"
        case .pastDue: "past_due"
        case .unpaid: "expired"
        case .canceled: "canceled"
        case .incomplete: "error"
        }
    }

    /// Whole credits, rounded down.
    static func whole(_ microCredits: Int64) -> Int64 {
        let whole = microCredits / 1_000_000
        return microCredits % 1_000_000 < 0 ? whole - 1 : whole
    }
}
