// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads a catalogue and collects every problem on the way.
struct PlanReader {
    private(set) var problems = CatalogueProblems()
    private static let maximumPlans = 64
    private static let maximumPacks = 64

    /// Nil when the document has no shape at all, or a part without which there is no catalogue is missing.
    mutating func catalogue(_ document: JSONValue) -> PlanCatalogue? {
        guard let root = CatalogueNode(document, path: "", problems: &problems) else { return nil }
        root.allow(
            ["version", "currency", "creditValueMicroUSD", "fallbackPlan", "modelTiers", "plans", "creditPacks"],
            &problems)
        if let version = root.integer("version", 1..., &problems), version != 1 {
            report("version", "\(version): this release reads version 1")
        }
        if let currency = root.text("currency", &problems), currency != "usd" {
            report("currency", "it must be usd: prices are micro-US-dollars")
        }
        let value = root.integer("creditValueMicroUSD", 1..., &problems)
        if let value, 1_000_000 % value != 0 {
            report("creditValueMicroUSD", "\(value) does not divide 1000000: dollars would be rounded twice")
        }
        let tiers = root.texts("modelTiers", &problems) ?? []
        if tiers.isEmpty { report("modelTiers", "it must name at least one tier") }
        var plans: [Plan] = []
        for node in root.objects("plans", atMost: Self.maximumPlans, &problems) {
            if let plan = plan(node, tiers: tiers) { plans.append(plan) }
        }
        let packs =
            root.value("creditPacks").map { $0.arrayValue?.isEmpty == true } ?? true
            ? [] : root.objects("creditPacks", atMost: Self.maximumPacks, &problems).compactMap { pack($0) }
        checkUnique(root)
        let fallback = root.text("fallbackPlan", &problems)
        let found = plans.first { $0.name == fallback }
        if let fallback, found == nil { report("fallbackPlan", "no plan has the name \(fallback)") }
        guard let found, let value, problems.isEmpty else { return nil }
        return PlanCatalogue(
            plans: plans.sorted { $0.rank < $1.rank }, fallback: found, creditValueMicroUSD: value, modelTiers: tiers,
            creditPacks: packs)
    }

    private mutating func report(_ path: String, _ message: String) { problems.report(path, message) }

    // MARK: Parts

    private static let planMembers = [
        "name", "displayName", "rank", "priceMicroUSD", "stripePriceId", "interval", "trialDays", "credits", "overage",
        "agentSlots", "tasksPerMonth", "workers", "workspaces", "apiKeys", "tokensPerDay", "rate", "accountRate",
        "modelTiers", "premiumModels", "premiumAgents", "markupPercent",
    ]

    private mutating func plan(_ node: CatalogueNode, tiers: [String]) -> Plan? {
        node.allow(Self.planMembers, &problems)
        let name = node.text("name", &problems)
        if let name, !Self.isName(name) {
            report(node.place("name"), "a name is a lower-case letter and up to 62 of [a-z0-9_-]")
        }
        let display = node.text("displayName", &problems)
        let rank = node.integer("rank", 0..., &problems)
        let price = node.optionalInteger("priceMicroUSD", &problems)
        let priceID = node.optionalText("stripePriceId", &problems)
        let trial = node.integer("trialDays", 0...3650, &problems)
        var interval: Plan.Interval?
        if let text = node.text("interval", &problems) {
            interval = Plan.Interval(rawValue: text)
            if interval == nil { report(node.place("interval"), "it must be month or P30D") }
        }
        var discount: Int64?
        let slots = agentSlots(node, discount: &discount)
        let rate = node.rate("rate", &problems)
        let own = node.texts("modelTiers", &problems)
        for tier in own ?? [] where !tiers.contains(tier) {
            report(node.place("modelTiers"), "\(tier) is none of the catalogue's modelTiers")
        }
        let premium = node.boolean("premiumAgents", &problems)
        guard let slots, let rate, let own, let premium else { return nil }
        var limits = PlanLimits(agentSlots: slots, rate: rate, modelTiers: own, premiumAgents: premium)
        readAmounts(node, &limits)
        guard let name, let display, let rank, let interval, let trial else { return nil }
        return Plan(
            name: name, displayName: display, rank: rank, priceMicroUSD: price, stripePriceID: priceID,
            interval: interval, trialDays: trial, extraDiscountPercent: discount, limits: limits)
    }

    private mutating func readAmounts(_ node: CatalogueNode, _ limits: inout PlanLimits) {
        if let credits = node.object("credits", &problems) {
            credits.allow(["perPeriod", "rollover"], &problems)
            limits.creditsPerPeriod = credits.credits("perPeriod", &problems)
            if let rollover = credits.object("rollover", &problems) {
                rollover.allow(["min", "max"], &problems)
                limits.rolloverMin = rollover.credits("min", &problems)
                limits.rolloverMax = rollover.credits("max", &problems)
                if let least = limits.rolloverMin, let most = limits.rolloverMax, least > most {
                    report(rollover.place("min"), "it is above max")
                }
            }
        }
        if let overage = node.object("overage", &problems) {
            overage.allow(["maxCredits"], &problems)
            limits.overageCredits = overage.credits("maxCredits", &problems)
        }
        limits.tasksPerMonth = node.limit("tasksPerMonth", &problems)
        limits.workers = node.limit("workers", &problems)
        limits.workspaces = node.limit("workspaces", &problems)
        limits.apiKeys = node.limit("apiKeys", &problems)
        limits.tokensPerDay = node.limit("tokensPerDay", &problems)
        limits.premiumModels = node.limit("premiumModels", &problems)
        if node.value("accountRate") != nil { limits.accountRate = node.rate("accountRate", &problems) }
        if node.value("markupPercent") != nil {
            limits.markupPercent = node.markup("markupPercent", &problems)
        }
    }

    private mutating func agentSlots(_ node: CatalogueNode, discount: inout Int64?) -> PlanLimits.AgentSlots? {
        guard let slots = node.object("agentSlots", &problems) else { return nil }
        slots.allow(["included", "max", "extraPriceCredits", "extraDiscountPercent"], &problems)
        let included = slots.limit("included", &problems)
        let most = slots.limit("max", &problems)
        if (included ?? .max) > (most ?? .max) { report(slots.place("included"), "it is above max") }
        if slots.value("extraDiscountPercent") != nil {
            discount = slots.integer("extraDiscountPercent", 0...100, &problems)
        }
        return PlanLimits.AgentSlots(
            included: included, max: most,
            extraPrice: slots.credits("extraPriceCredits", &problems, allowsNoLimit: false) ?? 0)
    }

    private mutating func pack(_ node: CatalogueNode) -> PlanCatalogue.CreditPack? {
        node.allow(["id", "credits", "priceMicroUSD", "stripePriceId"], &problems)
        let id = node.text("id", &problems)
        let credits = node.credits("credits", &problems, allowsNoLimit: false)
        if credits == 0 { report(node.place("credits"), "a pack without credits") }
        let price = node.integer("priceMicroUSD", 0..., &problems)
        let priceID = node.optionalText("stripePriceId", &problems)
        guard let id, let credits, let price else { return nil }
        return PlanCatalogue.CreditPack(id: id, microCredits: credits, priceMicroUSD: price, stripePriceID: priceID)
    }

    /// Names, ranks and price ids stand once, whether or not the rest of their plan could be read.
    private mutating func checkUnique(_ root: CatalogueNode) {
        let plans = root.value("plans")?.arrayValue ?? []
        let packs = root.value("creditPacks")?.arrayValue ?? []
        func rows(_ list: [JSONValue], _ name: String, _ member: String) -> [(path: String, value: JSONValue)] {
            list.enumerated().compactMap { index, entry in
                guard let value = entry[member], !value.isNull else { return nil }
                return ("\(name)[\(index)].\(member)", value)
            }
        }
        let groups = [
            rows(plans, "plans", "name"), rows(plans, "plans", "rank"), rows(packs, "creditPacks", "id"),
            rows(plans, "plans", "stripePriceId") + rows(packs, "creditPacks", "stripePriceId"),
        ]
        for group in groups {
            var seen: [JSONValue: String] = [:]
            for row in group {
                if let first = seen[row.value] {
                    report(row.path, "the same as \(first)")
                } else {
                    seen[row.value] = row.path
                }
            }
        }
    }

    /// The names that `spec.plan` of a Subscription can say.
    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (1...63).contains(text.utf8.count) else { return false }
        guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
    }
}
