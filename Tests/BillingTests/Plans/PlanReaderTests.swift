// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@Suite struct PlanReaderTests {
    private static func shipped() throws -> JSONValue { try YAMLText.json(BuiltInPlans.plansYAML) }

    @Test func theBuiltInCopyIsTheFile() throws {
        let text = try String(contentsOf: Repository.root.appending(path: "plans/plans.yaml"), encoding: .utf8)
        #expect(BuiltInPlans.plansYAML + "\n" == text)
    }

    @Test func readsTheShippedPlans() throws {
        let catalogue = try PlanCatalogue.read(Self.shipped())
        #expect(catalogue.plans.map(\.name) == ["free", "pro", "enterprise"])
        #expect(catalogue.fallback.name == "free")
        #expect(catalogue.fallback.limits.rate == RequestRate(minute: 30, hour: 500, day: 5000))
        #expect(catalogue.fallbackState.apiKeys == 2)
        #expect(!catalogue.fallbackState.isSubscribed)
        let enterprise = try #require(catalogue.plan("enterprise"))
        #expect(enterprise.limits.workers == nil)
        #expect(enterprise.limits.creditsPerPeriod == 10_000_000_000)
        #expect(catalogue.creditPacks.map(\.microCredits) == [1_000_000_000, 5_000_000_000])
        let upgrade = catalogue.upgrade(from: "free", base: "/billing") { ($0.apiKeys ?? .max) > 10 }
        #expect(upgrade?.url == "/billing?plan=enterprise")
        #expect(upgrade?.price == 199_000_000)
        #expect(catalogue.upgrade(from: "enterprise", base: "/billing") { _ in true } == nil)
    }

    /// The shipped catalogue with one thing changed, and the places that are named.
    @Test(arguments: [
        ("version: 1", "version: 2", ["version"]),
        ("creditValueMicroUSD: 10000 ", "creditValueMicroUSD: 30000 ", ["creditValueMicroUSD"]),
        ("creditValueMicroUSD: 10000 ", "creditValueMicroUSD: 0 ", ["creditValueMicroUSD"]),
        ("currency: usd", "currency: eur", ["currency"]),
        ("fallbackPlan: free", "fallbackPlan: gone", ["fallbackPlan"]),
        ("currency: usd", "currency: usd\nmore: 1", ["more"]),
        ("    rank: 10", "    rank: 0", ["plans[1].rank"]),
        ("  - name: pro\n", "  - name: free\n", ["plans[1].name"]),
        (
            "price_1SoawKE8yr4fu4Jj7iDEjsk6", "price_1SoawKE8yr4fu4JjkHQA2Y2c", ["plans[2].stripePriceId"]
        ),
        ("    apiKeys: 2\n", "    apiKeys: -2\n", ["plans[0].apiKeys"]),
        ("    apiKeys: 2\n", "    apiKeyz: 2\n", ["plans[0].apiKeyz", "plans[0].apiKeys"]),
        ("{ minute: 30,", "{ minute: -3,", ["plans[0].rate.minute"]),
        ("{ minute: 30,", "{ minute: '30',", ["plans[0].rate.minute"]),
        ("perPeriod: 100,", "perPeriod: 0.0000001,", ["plans[0].credits.perPeriod"]),
        ("perPeriod: 100,", "perPeriod: -2,", ["plans[0].credits.perPeriod"]),
        ("min: 0, max: 0", "min: 2, max: 1", ["plans[0].credits.rollover.min"]),
        ("included: 1, max: 1", "included: 2, max: 1", ["plans[0].agentSlots.included"]),
        ("interval: month", "interval: week", ["plans[0].interval"]),
        ("modelTiers: [basic]", "modelTiers: [golden]", ["plans[0].modelTiers"]),
        ("premiumAgents: false", "premiumAgents: 0", ["plans[0].premiumAgents"]),
        ("id: credits-5000", "id: credits-1000", ["creditPacks[1].id"]),
    ])
    func saysWhatIsWrong(_ old: String, _ new: String, _ places: [String]) throws {
        let text = BuiltInPlans.plansYAML
        let range = try #require(text.range(of: old), "\(old) is in the file")
        let document = try YAMLText.json(text.replacingCharacters(in: range, with: new))
        let problems = #expect(throws: CatalogueError.self) { try PlanCatalogue.read(document) }?.problems ?? []
        for place in places { #expect(problems.contains { $0.path == place }, "\(problems)") }
    }

    @Test func listsEveryProblem() throws {
        let document: JSONValue = ["version": 9, "currency": 1, "plans": [["name": "A B"], 7], "fallbackPlan": "x"]
        let error = #expect(throws: CatalogueError.self) { try PlanCatalogue.read(document) }
        let paths = Set((error?.problems ?? []).map(\.path))
        #expect(paths.isSuperset(of: ["version", "currency", "creditValueMicroUSD", "plans[0].name", "plans[1]"]))
        #expect(error?.description.isEmpty == false)
        #expect(throws: CatalogueError.self) { try PlanCatalogue.read("x") }
    }

    @Test func overridesReplaceOnlyWhatTheyName() throws {
        let plan = try #require(try PlanCatalogue.read(Self.shipped()).plan("pro"))
        let limits = plan.limits.overridden(by: [
            "rate": ["minute": -1, "day": 0], "apiKeys": 3, "credits": "12.5", "workers": -1, "premiumAgents": false,
        ])
        #expect(limits.rate == RequestRate(minute: nil, hour: 2500, day: 0))
        #expect(limits.apiKeys == 3)
        #expect(limits.creditsPerPeriod == 12_500_000)
        #expect(limits.workers == nil)
        #expect(limits.workspaces == 20)
        #expect(!limits.premiumAgents)
        #expect(plan.limits.overridden(by: nil) == plan.limits)
    }

    /// Damaged catalogues are read or refused with places, and never end the process.
    @Test func damagedCataloguesAreRefusedInWords() throws {
        let random = SeededRandom(seed: 77)
        let sound = try Self.shipped()
        for _ in 0..<FuzzCases.count(400) {
            var document = sound
            for _ in 0...random.below(3) { document = Self.damaged(document, random) }
            do {
                _ = try PlanCatalogue.read(document)
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(error.problems.allSatisfy { !$0.message.isEmpty })
            }
        }
    }

    private static func damaged(_ value: JSONValue, _ random: SeededRandom) -> JSONValue {
        let junk: [JSONValue] = [
            .null, -7, 0, "x", .double(1.5), .double(.infinity), [], [:], true, .int(.max), .int(.min),
        ]
        switch value {
        case .object(let object) where !object.isEmpty && random.below(6) > 0:
            var object = object
            let name = object.names[random.below(object.count)]
            object[name] = random.below(8) == 0 ? nil : damaged(object[name] ?? .null, random)
            return .object(object)
        case .array(let elements) where !elements.isEmpty && random.below(6) > 0:
            var elements = elements
            let index = random.below(elements.count)
            if random.below(6) == 0 { elements.append(elements[index]) }
            elements[index] = damaged(elements[index], random)
            return .array(elements)
        default: return junk[random.below(junk.count)]
        }
    }
}
