// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads a catalogue and collects every problem on the way.
struct PlanReader {
    typealias Problem = PlanCatalogueError.Problem

    private(set) var problems: [Problem] = []
    private static let maximumPlans = 64
    private static let maximumPacks = 64

    /// Nil when the document has no shape at all, or a part without which there is no catalogue is missing.
    mutating func catalogue(_ document: JSONValue) -> PlanCatalogue? {
        guard let root = PlanNode(document, path: "", reader: &self) else { return nil }
        root.allow(
            ["version", "currency", "creditValueMicroUSD", "fallbackPlan", "modelTiers", "plans", "creditPacks"],
            &self)
        if let version = root.integer("version", 1..., &self), version != 1 {
            report("version", "\(version): this release reads version 1")
        }
        if let currency = root.text("currency", &self), currency != "usd" {
            report("currency", "it must be usd: prices are micro-US-dollars")
        }
        let value = root.integer("creditValueMicroUSD", 1..., &self)
        if let value, 1_000_000 % value != 0 {
            report("creditValueMicroUSD", "\(value) does not divide 1000000: dollars would be rounded twice")
        }
        let tiers = root.texts("modelTiers", &self) ?? []
        if tiers.isEmpty { report("modelTiers", "it must name at least one tier") }
        var plans: [Plan] = []
        for node in root.objects("plans", atMost: Self.maximumPlans, &self) {
            if let plan = plan(node, tiers: tiers) { plans.append(plan) }
        }
        let packs =
            root.value("creditPacks").map { $0.arrayValue?.isEmpty == true } ?? true
            ? [] : root.objects("creditPacks", atMost: Self.maximumPacks, &self).compactMap { pack($0) }
        checkUnique(root)
        let fallback = root.text("fallbackPlan", &self)
        let found = plans.first { $0.name == fallback }
        if let fallback, found == nil { report("fallbackPlan", "no plan has the name \(fallback)") }
        guard let found, let value, problems.isEmpty else { return nil }
        return PlanCatalogue(
            plans: plans.sorted { $0.rank < $1.rank }, fallback: found, creditValueMicroUSD: value, modelTiers: tiers,
            creditPacks: packs)
    }

    mutating func report(_ path: String, _ message: String) {
        problems.append(Problem(path: path, message: message))
    }

    // MARK: Parts

    private static let planMembers = [
        "name", "displayName", "rank", "priceMicroUSD", "stripePriceId", "interval", "trialDays", "credits", "overage",
        "agentSlots", "tasksPerMonth", "workers", "workspaces", "apiKeys", "tokensPerDay", "rate", "accountRate",
        "modelTiers", "premiumModels", "premiumAgents", "markupPercent",
    ]

    private mutating func plan(_ node: PlanNode, tiers: [String]) -> Plan? {
        node.allow(Self.planMembers, &self)
        let name = node.text("name", &self)
        if let name, !Self.isName(name) {
            report(node.place("name"), "a name is a lower-case letter and up to 62 of [a-z0-9_-]")
        }
        let display = node.text("displayName", &self)
        let rank = node.integer("rank", 0..., &self)
        let price = node.optionalInteger("priceMicroUSD", &self)
        let priceID = node.optionalText("stripePriceId", &self)
        let trial = node.integer("trialDays", 0...3650, &self)
        var interval: Plan.Interval?
        if let text = node.text("interval", &self) {
            interval = Plan.Interval(rawValue: text)
            if interval == nil { report(node.place("interval"), "it must be month or P30D") }
        }
        var discount: Int64?
        let slots = agentSlots(node, discount: &discount)
        let rate = node.rate("rate", &self)
        let own = node.texts("modelTiers", &self)
        for tier in own ?? [] where !tiers.contains(tier) {
            report(node.place("modelTiers"), "\(tier) is none of the catalogue's modelTiers")
        }
        let premium = node.boolean("premiumAgents", &self)
        guard let slots, let rate, let own, let premium else { return nil }
        var limits = PlanLimits(agentSlots: slots, rate: rate, modelTiers: own, premiumAgents: premium)
        readAmounts(node, &limits)
        guard let name, let display, let rank, let interval, let trial else { return nil }
        return Plan(
            name: name, displayName: display, rank: rank, priceMicroUSD: price, stripePriceID: priceID,
            interval: interval, trialDays: trial, extraDiscountPercent: discount, limits: limits)
    }

    private mutating func readAmounts(_ node: PlanNode, _ limits: inout PlanLimits) {
        if let credits = node.object("credits", &self) {
            credits.allow(["perPeriod", "rollover"], &self)
            limits.creditsPerPeriod = credits.credits("perPeriod", &self)
            if let rollover = credits.object("rollover", &self) {
                rollover.allow(["min", "max"], &self)
                limits.rolloverMin = rollover.credits("min", &self)
                limits.rolloverMax = rollover.credits("max", &self)
                if let least = limits.rolloverMin, let most = limits.rolloverMax, least > most {
                    report(rollover.place("min"), "it is above max")
                }
            }
        }
        if let overage = node.object("overage", &self) {
            overage.allow(["maxCredits"], &self)
            limits.overageCredits = overage.credits("maxCredits", &self)
        }
        limits.tasksPerMonth = node.limit("tasksPerMonth", &self)
        limits.workers = node.limit("workers", &self)
        limits.workspaces = node.limit("workspaces", &self)
        limits.apiKeys = node.limit("apiKeys", &self)
        limits.tokensPerDay = node.limit("tokensPerDay", &self)
        limits.premiumModels = node.limit("premiumModels", &self)
        if node.value("accountRate") != nil { limits.accountRate = node.rate("accountRate", &self) }
        if node.value("markupPercent") != nil {
            limits.markupPercent = node.integer("markupPercent", 0...100_000, &self)
        }
    }

    private mutating func agentSlots(_ node: PlanNode, discount: inout Int64?) -> PlanLimits.AgentSlots? {
        guard let slots = node.object("agentSlots", &self) else { return nil }
        slots.allow(["included", "max", "extraPriceCredits", "extraDiscountPercent"], &self)
        let included = slots.limit("included", &self)
        let most = slots.limit("max", &self)
        if (included ?? .max) > (most ?? .max) { report(slots.place("included"), "it is above max") }
        if slots.value("extraDiscountPercent") != nil {
            discount = slots.integer("extraDiscountPercent", 0...100, &self)
        }
        return PlanLimits.AgentSlots(
            included: included, max: most,
            extraPrice: slots.credits("extraPriceCredits", &self, allowsNoLimit: false) ?? 0)
    }

    private mutating func pack(_ node: PlanNode) -> PlanCatalogue.CreditPack? {
        node.allow(["id", "credits", "priceMicroUSD", "stripePriceId"], &self)
        let id = node.text("id", &self)
        let credits = node.credits("credits", &self, allowsNoLimit: false)
        if credits == 0 { report(node.place("credits"), "a pack without credits") }
        let price = node.integer("priceMicroUSD", 0..., &self)
        let priceID = node.optionalText("stripePriceId", &self)
        guard let id, let credits, let price else { return nil }
        return PlanCatalogue.CreditPack(id: id, microCredits: credits, priceMicroUSD: price, stripePriceID: priceID)
    }

    /// Names, ranks and price ids stand once, whether or not the rest of their plan could be read.
    private mutating func checkUnique(_ root: PlanNode) {
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
