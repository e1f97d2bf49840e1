// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging
internal import TestSupport
internal import Testing

@Suite struct PriceKeeperTests {
    private let ledger = MemoryBillingLedger()
    private let clock = ManualClock()
    private let plans: PlanBook

    init() throws { plans = PlanBook(try Catalogues.terms("plans.yaml").catalogue) }

    /// One replica.
    private struct Replica {
        let book: PriceBook
        let keeper: PriceKeeper
    }

    private func replica(
        isFileInForce: Bool = false, plans: PlanBook? = nil, seed: UInt64 = 1
    ) throws -> Replica {
        let book = PriceBook(try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML)))
        let keeper = PriceKeeper(
            book: book, plans: plans ?? self.plans, documents: ledger, isFileInForce: isFileInForce, clock: clock,
            random: SeededRandom(seed: seed), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        return Replica(book: book, keeper: keeper)
    }

    private func document(_ version: String) throws -> JSONValue {
        var list = try #require(try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML)).json.objectValue)
        list["version"] = .string(version)
        return .object(list)
    }

    private func put(_ version: String, at replica: Replica) async throws {
        let document = try document(version)
        try await replica.keeper.put(try PriceList.read(document), document: document)
    }

    @Test func aListSurvivesARestart() async throws {
        let first = try replica()
        try await first.keeper.load()
        #expect(first.book.prices.version == "1")
        try await put("2", at: first)
        #expect(first.book.prices.version == "2")
        let again = try replica()
        try await again.keeper.load()
        #expect(again.book.prices == first.book.prices && again.book.prices.version == "2")
    }

    @Test func otherReplicasFollow() async throws {
        let (first, second) = (try replica(seed: 1), try replica(seed: 2))
        try await first.keeper.load()
        try await second.keeper.load()
        try await put("2", at: first)
        try await second.keeper.follow()
        #expect(second.book.prices.version == "2")
        try await put("3", at: second)
        try await first.keeper.follow()
        #expect(first.book.prices.version == "3")
        // What is in force already is not read again, and nothing goes back.
        try await second.keeper.follow()
        #expect(second.book.prices.version == "3")
    }

    @Test func aFileOfTheSettingsHolds() async throws {
        let free = try replica()
        try await put("2", at: free)
        let fixed = try replica(isFileInForce: true)
        try await fixed.keeper.load()
        try await fixed.keeper.follow()
        #expect(fixed.book.prices.version == "1")
        let document = try document("4")
        let list = try PriceList.read(document)
        do {
            try await fixed.keeper.put(list, document: document)
            Issue.record("not refused")
        } catch {
            #expect(error.code == .billingPricesReadOnly && error.status == 409)
            #expect(error.message == "The price list is that of TOLLGATE_BILLING_PRICES_FILE: change the file")
        }
        try await free.keeper.follow()
        #expect(free.book.prices.version == "2")
    }

    @Test func aListThatDoesNotFitThePlansAnyMoreStopsTheStartAndNothingElse() async throws {
        let first = try replica()
        try await put("2", at: first)
        let renamed = BuiltInPlans.plansYAML.replacing("standard", with: "common")
        let others = PlanBook(try PlanCatalogue.read(YAMLText.json(renamed)))
        let second = try replica(plans: others)
        await #expect(throws: PriceKeeper.Fault.self) { try await second.keeper.load() }
        #expect(second.book.prices.version == "1")
        let running = try replica(plans: others)
        try await running.keeper.follow()
        #expect(running.book.prices.version == "1")
    }
}
