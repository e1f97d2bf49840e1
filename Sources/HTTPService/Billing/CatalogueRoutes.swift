// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Plans, as everybody sees them, and prices, as platform admins do.
struct CatalogueRoutes: Sendable {
    let services: BillingServices

    private static let prices = "/v1/billing/prices"
    /// A list has at most 4096 models.
    private static let priceListBytes = 1 << 20

    var routes: [OwnRoute] {
        let billing = services.billing
        return [
            OwnRoute("GET", "/v1/billing/plans", .read) { call throws(Refusal) in
                _ = try call.query.object(known: [])
                return .object(billing.plans.catalogue.shown)
            },
            OwnRoute("GET", Self.prices, .read) { call throws(Refusal) in
                try call.requirePlatformAdmin()
                _ = try call.query.object(known: [])
                return .json(["prices": billing.prices.prices.json])
            },
            OwnRoute("PUT", Self.prices, .write, bodyBytes: Self.priceListBytes) { call throws(Refusal) in
                try await put(call)
            },
            OwnRoute("POST", Self.prices + "/rerate", .write) { call throws(Refusal) in try await rerate(call) },
        ]
    }

    /// `{prices, reason}`: the whole list, in force for what is rated from now on.
    private func put(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatformAdmin()
        _ = try call.query.object(known: [])
        var reader = FieldReader()
        try reader.checkMembers(of: call.body, known: ["prices", "reason"])
        let document = reader.object(call.body, "prices", required: true)
        let reason = reader.text(call.body, "reason", required: true) ?? ""
        if call.body["reason"]?.stringValue != nil, !(1...256).contains(reason.utf8.count) {
            reader.fault("reason", "not a text of 1 to 256 bytes")
        }
        try reader.finish()
        let value = JSONValue.object(document ?? JSONObject())
        let tiers = services.billing.plans.catalogue.modelTiers
        let list: PriceList
        do {
            list = try PriceList.read(value, tiers: tiers)
        } catch {
            throw Refusal(
                .requestInvalid, message: "The price list is invalid",
                details: [
                    "problems": .strings(
                        error.problems.prefix(64).map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" })
                ])
        }
        guard let keeper = services.prices else { throw Refusal(.billingPricesReadOnly) }
        let before = services.billing.prices.prices.json
        try await keeper.put(list, document: value)
        var answer = OwnAnswer.json(["prices": list.json])
        answer.auditResource = "prices"
        answer.auditMetadata["reason"] = .string(reason)
        answer.auditMetadata["before"] = before
        answer.auditMetadata["after"] = list.json
        return answer
    }

    /// Rates anew what was charged at the price that stood in for an unknown model's: a bounded piece of it.
    private func rerate(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatformAdmin()
        _ = try call.query.object(known: [])
        let request = try RerateRequest.read(call.body)
        var done = try await services.billing.rerate(request, actor: call.actor).json.objectValue ?? JSONObject()
        done["model"] = .string(request.model)
        var answer = OwnAnswer.json(done)
        answer.auditResource = "prices/\(request.model)"
        answer.auditMetadata["reason"] = .string(request.reason)
        answer.auditMetadata["after"] = .object(done)
        return answer
    }
}

extension PlanCatalogue {
    /// `{currency, credit_value_micro_usd, fallback_plan, model_tiers, plans[…], credit_packs[…]}`, without ids of the provider.
    var shown: JSONValue {
        [
            "currency": "usd", "credit_value_micro_usd": .int(creditValueMicroUSD),
            "fallback_plan": .string(fallback.name), "model_tiers": .strings(modelTiers),
            "plans": .array(plans.map(\.shown)),
            "credit_packs": .array(
                creditPacks.map {
                    [
                        "id": .string($0.id), "micro_credits": .int($0.microCredits),
                        "price_micro_usd": .int($0.priceMicroUSD),
                    ]
                }),
        ]
    }
}

extension Plan {
    /// As everybody sees it; −1 = no limit.
    var shown: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "display_name": .string(displayName), "rank": .int(rank),
            "price_micro_usd": priceMicroUSD.map(JSONValue.int) ?? .null, "interval": .string(interval.rawValue),
            "trial_days": .int(trialDays),
        ]
        limits.show(in: &object, extraDiscountPercent: extraDiscountPercent)
        return .object(object)
    }
}

extension PlanLimits {
    fileprivate func show(in object: inout JSONObject, extraDiscountPercent: Int64?) {
        func limit(_ number: Int64?) -> JSONValue { .int(number ?? -1) }
        func windows(_ rate: RequestRate) -> JSONValue {
            ["minute": limit(rate.minute), "hour": limit(rate.hour), "day": limit(rate.day)]
        }
        object["credits"] = [
            "per_period_micro_credits": limit(creditsPerPeriod),
            "rollover": ["min_micro_credits": limit(rolloverMin), "max_micro_credits": limit(rolloverMax)],
        ]
        object["overage"] = ["max_micro_credits": limit(overageCredits)]
        object["agent_slots"] = [
            "included": limit(agentSlots.included), "max": limit(agentSlots.max),
            "extra_price_micro_credits": .int(agentSlots.extraPrice),
            "extra_discount_percent": extraDiscountPercent.map(JSONValue.int) ?? .null,
        ]
        object["tasks_per_month"] = limit(tasksPerMonth)
        object["workers"] = limit(workers)
        object["workspaces"] = limit(workspaces)
        object["api_keys"] = limit(apiKeys)
        object["tokens_per_day"] = limit(tokensPerDay)
        object["rate"] = windows(rate)
        object["account_rate"] = accountRate.map(windows) ?? .null
        object["model_tiers"] = .strings(modelTiers)
        object["premium_models"] = limit(premiumModels)
        object["premium_agents"] = .bool(premiumAgents)
        object["markup_percent"] = .optional(markupPercent?.text)
    }
}
