// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads a price list and collects every problem on the way.
struct PriceReader {
    private(set) var problems = CatalogueProblems()

    /// The tiers that a model may have; nil where they are not known.
    let tiers: [String]?

    private static let maximumModels = 4096
    private static let maximumAgents = 1024

    init(tiers: [String]?) { self.tiers = tiers }

    /// Nil when the document has no shape at all, or something is missing without which there is no price list.
    mutating func prices(_ document: JSONValue) -> PriceList? {
        guard let root = CatalogueNode(document, path: "", problems: &problems) else { return nil }
        root.allow(["version", "markupPercent", "unknownModel", "default", "models", "agents"], &problems)
        let version = root.text("version", &problems)
        let markup = root.value("markupPercent") == nil ? MarkupPercent.none : root.markup("markupPercent", &problems)
        var unknown: PriceList.UnknownModel? = .fail
        if root.value("unknownModel") != nil, let text = root.text("unknownModel", &problems) {
            unknown = PriceList.UnknownModel(rawValue: text)
            if unknown == nil { problems.report("unknownModel", "it must be fail or quarantine") }
        }
        let standIn = root.object("default", &problems).flatMap { rates($0) }
        var models: [(node: CatalogueNode, price: ModelPrice)] = []
        if root.value("models")?.arrayValue?.isEmpty != true {
            for node in root.objects("models", atMost: Self.maximumModels, &problems) {
                if let price = model(node) { models.append((node, price)) }
            }
        }
        checkUnique(models)
        var agents: [String: AgentPrice] = [:]
        let defaultAgent = root.object("agents", &problems).flatMap { readAgents($0, &agents) }
        guard let version, let markup, let unknown, let standIn, let defaultAgent, problems.isEmpty else { return nil }
        return PriceList(
            version: version, markup: markup, unknownModel: unknown, defaultRates: standIn,
            models: models.map(\.price), defaultAgent: defaultAgent, agents: agents)
    }

    // MARK: Parts

    private mutating func model(_ node: CatalogueNode) -> ModelPrice? {
        node.allow(["model", "aliases", "providers", "tier", "premium", "rates", "effectiveFrom"], &problems)
        let name = node.text("model", &problems)
        let aliases = node.value("aliases") == nil ? [] : node.texts("aliases", longest: 256, &problems)
        let providers = node.texts("providers", &problems)
        if providers?.isEmpty == true { problems.report(node.place("providers"), "it must name at least one provider") }
        if let name, aliases?.contains(name) == true {
            problems.report(node.place("aliases"), "\(name) is the id of the model itself")
        }
        let tier = node.text("tier", &problems)
        if let tier, let tiers, !tiers.contains(tier) {
            problems.report(node.place("tier"), "\(tier) is none of the plans' modelTiers")
        }
        let premium = node.value("premium") == nil ? false : node.boolean("premium", &problems)
        let rates = node.object("rates", &problems).flatMap { self.rates($0) }
        var from: Timestamp?
        if let text = node.optionalText("effectiveFrom", &problems) {
            from = Timestamp(rfc3339: text)
            if from == nil { problems.report(node.place("effectiveFrom"), "it must be like 2027-01-31T00:00:00Z") }
        }
        guard let name, let aliases, let providers, let tier, let premium, let rates else { return nil }
        return ModelPrice(
            model: name, aliases: aliases, providers: providers, tier: tier, isPremium: premium, rates: rates,
            effectiveFrom: from)
    }

    private mutating func rates(_ node: CatalogueNode) -> TokenRates? {
        node.allow(["input", "output", "cacheRead", "cacheWrite", "reasoning"], &problems)
        func optional(_ name: String) -> Int64? {
            node.value(name) == nil ? nil : node.dollarRate(name, &problems)
        }
        let input = node.dollarRate("input", &problems)
        let output = node.dollarRate("output", &problems)
        let (read, write, reasoning) = (optional("cacheRead"), optional("cacheWrite"), optional("reasoning"))
        guard let input, let output else { return nil }
        return TokenRates(input: input, output: output, cacheRead: read, cacheWrite: write, reasoning: reasoning)
    }

    private mutating func readAgents(_ node: CatalogueNode, _ agents: inout [String: AgentPrice]) -> AgentPrice? {
        if node.names.count > Self.maximumAgents {
            problems.report("agents", "there are more than \(Self.maximumAgents)")
            return nil
        }
        for name in node.names where name != "default" {
            if !(1...256).contains(name.utf8.count) {
                problems.report(node.place(name), "a name has 1 to 256 bytes")
            }
            agents[name] = node.object(name, &problems).flatMap { agent($0) }
        }
        return node.object("default", &problems).flatMap { agent($0) }
    }

    private mutating func agent(_ node: CatalogueNode) -> AgentPrice? {
        node.allow(["perCallMicroUSD", "perStartedHourMicroUSD", "premium"], &problems)
        let call = node.integer("perCallMicroUSD", 0..., &problems)
        let hour = node.integer("perStartedHourMicroUSD", 0..., &problems)
        let premium = node.value("premium") == nil ? false : node.boolean("premium", &problems)
        guard let call, let hour, let premium else { return nil }
        return AgentPrice(perCallMicroUSD: call, perStartedHourMicroUSD: hour, isPremium: premium)
    }

    /// At one provider a name means one model, and each of its prices begins at another instant.
    private mutating func checkUnique(_ models: [(node: CatalogueNode, price: ModelPrice)]) {
        struct Key: Hashable {
            var name: String
            var provider: String
        }
        var seen: [Key: [Int]] = [:]
        for (place, entry) in models.enumerated() {
            for name in Set(entry.price.names).sorted() {
                for provider in entry.price.providers {
                    let key = Key(name: name, provider: provider)
                    for other in seen[key] ?? [] {
                        let first = models[other]
                        if first.price.model != entry.price.model {
                            problems.report(
                                entry.node.place("model"), "\(name) of \(provider) is \(first.price.model) as well")
                        } else if first.price.effectiveFrom == entry.price.effectiveFrom {
                            problems.report(
                                entry.node.place("model"),
                                "\(name) of \(provider) has a price from the same time at \(first.node.place("model"))")
                        }
                    }
                    seen[key, default: []].append(place)
                }
            }
        }
    }
}
