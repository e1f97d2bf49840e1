// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension SubscriptionSpec {
    static let subscriptionSchema = Schema.object(
        "An account's plan.",
        [
            Property(
                "tenant", .text("The tenant, which is the account.", min: 1, max: 128).with(Transition.immutable),
                required: true),
            Property(
                "source",
                .choice("Who says what the plan is.", Source.allCases.map(\.rawValue)).defaulting(to: "manual")),
            Property("plan", .text("A plan of the catalogue.", max: 63, pattern: .planName)),
            Property("periodAnchor", .instant("The instant from which periods are counted.")),
            Property("validUntil", .instant("When a manual subscription ends.")),
            Property("overrides", overrides),
            Property("grants", .list("Credits beside the plan.", of: grant, max: 64, key: "key").defaulting(to: [])),
            Property("budgets", .list("Limits on spending.", of: budget, max: 64, key: "name").defaulting(to: [])),
            Property("stripe", stripe),
            Property("suspended", .boolean("Whether every check refuses.").defaulting(to: false)),
        ],
        rules: [
            Rule("self.source != 'manual' || has(self.plan)", "is missing; source manual needs it", at: "plan") {
                $0["source"] != "manual" || $0["plan"] != nil
            },
            Rule(
                "!has(self.periodAnchor) || self.source == 'manual'", "is allowed with source manual only",
                at: "periodAnchor"
            ) { $0["periodAnchor"] == nil || $0["source"] == "manual" },
        ])

    private static func limit(_ name: String) -> Property { Property(name, .integer(min: -1, max: 1 << 53)) }

    private static let overrides = Schema.object(
        "Limits that replace those of the plan. -1: no limit.",
        [
            Property("credits", .credits()),
            Property("rollover", .object(nil, [Property("min", .credits()), Property("max", .credits())])),
            Property("overage", .object(nil, [Property("maxCredits", .credits())])),
            Property(
                "agentSlots",
                .object(nil, [limit("included"), limit("max"), Property("extraPriceCredits", .credits())])),
            limit("tasksPerMonth"), limit("workers"), limit("workspaces"), limit("tokensPerDay"), limit("apiKeys"),
            Property("rate", .object(nil, [limit("minute"), limit("hour"), limit("day")])),
            Property("modelTiers", .set(nil, of: .text(min: 1, max: 63), max: 32)),
            limit("premiumModels"),
            Property("premiumAgents", .boolean()),
            Property("markupPercent", .markup()),
        ])

    private static func isLater(_ value: JSONValue, _ last: String, than first: String) -> Bool {
        guard let start = value[first]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let end = value[last]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return true }
        return start < end
    }

    private static let grant = Schema.object(
        nil,
        [
            Property("key", .text("Name of the grant, for good.", min: 1, max: 128), required: true),
            Property("credits", .credits("The amount."), required: true),
            Property("priority", .integer("Smaller is spent first.", min: 1, max: 255)),
            Property("effectiveAt", .instant("From when it may be spent.")),
            Property("expiresAt", .instant("Until when it may be spent.")),
            Property("reason", .text("Why it was given.", min: 1, max: 256), required: true),
        ],
        rules: [
            Rule(
                "!has(self.effectiveAt) || !has(self.expiresAt) || "
                    + "timestamp(self.effectiveAt) < timestamp(self.expiresAt)",
                "must be after effectiveAt", at: "expiresAt"
            ) { isLater($0, "expiresAt", than: "effectiveAt") }
        ],
        transitions: [
            Transition(
                "self.credits == oldSelf.credits", "cannot be changed while the grant is listed; add another grant",
                at: "credits"
            ) { $0["credits"] == $1["credits"] }
        ])

    private static let budget = Schema.object(
        nil,
        [
            Property("name", .text("Name of the budget.", min: 1, max: 100), required: true),
            Property("scope", .choice("Whose spending.", ["tenant", "user", "model", "project"]), required: true),
            Property("match", .text("Which user, model or project.", min: 1, max: 256)),
            Property(
                "period", .choice("Its window.", ["daily", "weekly", "monthly", "billing_period"]), required: true),
            Property("softLimitMicroUSD", .integer("Where it warns.", min: 0, max: 1 << 53)),
            Property("hardLimitMicroUSD", .integer("Where it acts.", min: 0, max: 1 << 53)),
            Property(
                "actionOnSoft",
                .choice("What happens at the soft limit.", ["alert", "alert+webhook"])
                    .defaulting(to: "alert")),
            Property(
                "actionOnHard",
                .choice("What happens at the hard limit.", ["alert", "block", "alert+block", "throttle"])
                    .defaulting(to: "block")),
            Property("webhookURL", .text("Where alerts go.", max: 2048, pattern: .webURL)),
        ],
        rules: [
            Rule(
                "!has(self.softLimitMicroUSD) || !has(self.hardLimitMicroUSD) || "
                    + "self.softLimitMicroUSD <= self.hardLimitMicroUSD",
                "must not be above hardLimitMicroUSD", at: "softLimitMicroUSD"
            ) {
                guard let soft = $0["softLimitMicroUSD"]?.intValue, let hard = $0["hardLimitMicroUSD"]?.intValue
                else { return true }
                return soft <= hard
            },
            Rule("self.scope == 'tenant' || has(self.match)", "is missing; this scope needs it", at: "match") {
                $0["scope"] == "tenant" || $0["match"] != nil
            },
        ])

    private static let stripe = Schema.object(
        "The provider's identifiers; one that is set may be removed, not changed.",
        [("customerId", "cus_"), ("subscriptionId", "sub_")].map { name, prefix in
            Property(name, .text(min: 5, max: 128, pattern: .prefixed(prefix)).with(Transition.immutable))
        })
}
