// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@Suite struct PriceReaderTests {
    @Test(arguments: [("plans/prices.yaml", BuiltInPrices.pricesYAML), ("plans/plans.yaml", BuiltInPlans.plansYAML)])
    func theBuiltInCopyIsTheFile(_ path: String, _ copy: String) throws {
        let text = try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
        #expect(copy + "\n" == text)
    }

    @Test func readsTheShippedPrices() throws {
        let prices = try Prices.shipped()
        let tiers = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)).modelTiers
        #expect(prices.models.count == 15)
        #expect(prices.models.allSatisfy { tiers.contains($0.tier) })
        #expect(prices.markup == .none)
        #expect(prices.unknownModel == .fail)
        #expect(prices.defaultAgent == AgentPrice(perCallMicroUSD: 0, perStartedHourMicroUSD: 10_000, isPremium: false))
        let opus = try #require(prices.model("claude-opus-4-6", at: Prices.now))
        #expect(opus.tier == "expert")
        #expect(opus.isPremium)
        #expect(
            opus.rates
                == TokenRates(
                    input: 15_000_000, output: 75_000_000, cacheRead: 1_500_000, cacheWrite: 18_750_000,
                    reasoning: 75_000_000))
    }

    @Test func readsTheFiveTierPlans() throws {
        let text = try String(
            contentsOf: Repository.root.appending(path: "plans/plans-five-tier.yaml"), encoding: .utf8)
        let catalogue = try PlanCatalogue.read(YAMLText.json(text))
        #expect(catalogue.plans.map(\.name) == ["free", "pro", "pro_plus", "power", "power_plus"])
        #expect(catalogue.plan("power_plus")?.limits.agentSlots.extraPrice == 7_000_000)
        #expect(catalogue.plan("pro")?.priceMicroUSD == nil)
        #expect(catalogue.plans.allSatisfy { $0.interval == .thirtyDays })
    }

    /// The shipped list with one thing changed, and the places that are named.
    @Test(arguments: [
        ("version: \"1\"", "version: 1", ["version"]),
        ("version: \"1\"", "version: \"1\"\nmore: 1", ["more"]),
        ("markupPercent: \"0\"", "markupPercent: \"1000.01\"", ["markupPercent"]),
        ("markupPercent: \"0\"", "markupPercent: -1", ["markupPercent"]),
        ("markupPercent: \"0\"", "markupPercent: \"1.005\"", ["markupPercent"]),
        ("unknownModel: fail", "unknownModel: free", ["unknownModel"]),
        ("unknownModel: fail", "unknownModel: 1", ["unknownModel"]),
        ("default: { input: \"15\",", "default: { input: \"-15\",", ["default.input"]),
        ("default: { input: \"15\",", "default: { inputs: \"15\",", ["default.inputs", "default.input"]),
        ("input: \"5\",", "input: \"5.0000001\",", ["models[1].rates.input"]),
        ("input: \"5\",", "input: 5,", ["models[1].rates.input"]),
        ("input: \"5\",", "input: \"5e1\",", ["models[1].rates.input"]),
        ("input: \"5\",", "input: \".5\",", ["models[1].rates.input"]),
        ("input: \"5\",", "input: \"5.\",", ["models[1].rates.input"]),
        ("input: \"5\",", "input: \"1234567890\",", ["models[1].rates.input"]),
        ("input: \"5\", output: \"25\",", "input: \"5\",", ["models[1].rates.output"]),
        ("- model: claude-opus-4-5", "- model: claude-opus-4-6", ["models[1].model"]),
        ("- model: claude-opus-4-5", "- model: x\n    aliases: [claude-opus-4-6]", ["models[1].model"]),
        ("- model: claude-opus-4-5", "- model: x\n    aliases: [x]", ["models[1].aliases"]),
        ("- model: claude-opus-4-5", "- model: x\n    aliases: [y, y]", ["models[1].aliases"]),
        ("- model: claude-opus-4-5", "- model: ''", ["models[1].model"]),
        ("- model: claude-opus-4-5", "- model: x\n    effectiveFrom: '2026'", ["models[1].effectiveFrom"]),
        ("providers: [anthropic]", "providers: []", ["models[3].providers"]),
        ("tier: enterprise", "tier: 7", ["models[1].tier"]),
        ("premium: true", "premium: 1", ["models[0].premium"]),
        ("perCallMicroUSD: 0", "perCallMicroUSD: -1", ["agents.default.perCallMicroUSD"]),
        ("agents:\n  default:", "agents:\n  helper:", ["agents.default"]),
        ("agents:\n", "agents: 1\nagentz:\n", ["agents", "agentz"]),
    ])
    func saysWhatIsWrong(_ old: String, _ new: String, _ places: [String]) throws {
        let text = BuiltInPrices.pricesYAML
        let range = try #require(text.range(of: old), "\(old) is in the file")
        let document = try YAMLText.json(text.replacingCharacters(in: range, with: new))
        let problems = #expect(throws: CatalogueError.self) { try PriceList.read(document) }?.problems ?? []
        for place in places { #expect(problems.contains { $0.path == place }, "\(problems)") }
        #expect(problems.allSatisfy { !$0.message.isEmpty })
    }

    @Test func aTierIsOneOfThePlansWhereTheyAreKnown() throws {
        let document = try YAMLText.json(BuiltInPrices.pricesYAML)
        let problems = #expect(throws: CatalogueError.self) {
            try PriceList.read(document, tiers: ["basic", "standard", "advanced", "enterprise"])
        }?.problems
        #expect(problems?.map(\.path) == ["models[0].tier"])
        #expect(problems?.map(\.message) == ["expert is none of the plans' modelTiers"])
    }

    @Test func listsEveryProblem() throws {
        let document: JSONValue = ["models": [["model": 1], 7], "markupPercent": "x"]
        let error = #expect(throws: CatalogueError.self) { try PriceList.read(document) }
        let paths = Set((error?.problems ?? []).map(\.path))
        #expect(
            paths.isSuperset(of: ["version", "markupPercent", "default", "models[0].model", "models[1]", "agents"]))
        #expect(throws: CatalogueError.self) { try PriceList.read(7) }
    }

    @Test func aListIsReadFromWhatItIsShownAs() throws {
        let shipped = try Prices.shipped()
        #expect(try PriceList.read(shipped.json) == shipped)
        let dated = try Prices.read(
            [
                [
                    "model": "m", "aliases": ["a"], "providers": ["p"], "tier": "basic", "premium": true,
                    "rates": ["input": "0.000001", "output": "999999999.999999"],
                    "effectiveFrom": "2026-03-01T00:00:00.5Z",
                ]
            ],
            agents: [
                "default": ["perCallMicroUSD": 1, "perStartedHourMicroUSD": 2],
                "x": [
                    "perCallMicroUSD": 3, "perStartedHourMicroUSD": 4, "premium": true,
                ],
            ])
        #expect(try PriceList.read(dated.json) == dated)
        #expect(dated.models[0].rates.input == 1)
        #expect(dated.agent("x").isPremium)
        #expect(dated.agent("y").perCallMicroUSD == 1)
    }

    /// Damaged lists are read or refused with places, and never end the process.
    @Test func damagedListsAreRefusedInWords() throws {
        let random = SeededRandom(seed: 4711)
        let sound = try YAMLText.json(BuiltInPrices.pricesYAML)
        for _ in 0..<FuzzCases.count(400) {
            var document = sound
            for _ in 0...random.below(3) { document = DamagedJSON.damaged(document, random) }
            do {
                let prices = try PriceList.read(document)
                _ = try? prices.rate(
                    TokenCounts(input: .max, output: .max), model: "gpt-4o", creditValueMicroUSD: 1, at: Prices.now)
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(error.problems.allSatisfy { !$0.message.isEmpty })
            }
        }
    }
}
