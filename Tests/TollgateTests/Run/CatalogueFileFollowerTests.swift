// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import HTTPService
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// The files of plans and prices: at the start, and when they change.
@Suite struct CatalogueFileFollowerTests {
    private let folder: TemporaryDirectory
    private let metrics = PrometheusRegistry()

    init() throws { folder = try TemporaryDirectory() }

    private static func prices(_ version: String) -> String {
        BuiltInPrices.pricesYAML.replacing("version: \"1\"", with: "version: \"\(version)\"")
    }

    private func isInvalid() -> Bool {
        String(decoding: metrics.text(), as: UTF8.self).contains("tollgate_billing_catalogue_invalid 1\n")
    }

    @Test func withoutFilesTheBuiltInCopiesAreInForce() throws {
        let catalogues = try BillingCatalogues(plansFile: nil, pricesFile: nil)
        #expect(catalogues.plans.plans.count == 3)
        #expect(catalogues.prices.version == "1")
    }

    @Test func aStartTellsWhatIsWrongInBothFiles() throws {
        try folder.write("version: 2\n", to: "plans.yaml")
        try folder.write("version: 2\n", to: "prices.yaml")
        let problem = #expect(throws: StartupProblem.self) {
            try BillingCatalogues(plansFile: folder.path("plans.yaml"), pricesFile: folder.path("prices.yaml"))
        }
        let words = problem?.description ?? ""
        #expect(words.contains("TOLLGATE_BILLING_PLANS_FILE: \(folder.path("plans.yaml")): version: 2: this release"))
        #expect(
            words.contains("TOLLGATE_BILLING_PRICES_FILE: \(folder.path("prices.yaml")): version: it must be a text"))
        #expect(words.contains("agents: it is missing"))
        let missing = #expect(throws: StartupProblem.self) {
            try BillingCatalogues(plansFile: nil, pricesFile: folder.path("none"))
        }
        #expect(missing?.description == "TOLLGATE_BILLING_PRICES_FILE: there is no file \(folder.path("none"))")
    }

    @Test func aFileThatCannotBeUsedLeavesTheLastGoodOneInForce() async throws {
        let plansFile = folder.path("plans.yaml")
        let pricesFile = folder.path("prices.yaml")
        try folder.write(BuiltInPlans.plansYAML, to: "plans.yaml")
        try folder.write(Self.prices("1"), to: "prices.yaml")
        let start = try BillingCatalogues(plansFile: plansFile, pricesFile: pricesFile)
        let (plans, prices) = (PlanBook(start.plans), PriceBook(start.prices))
        let follower = CatalogueFileFollower(
            plansFile: plansFile, plans: plans, pricesFile: pricesFile, prices: prices,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), metricsFactory: metrics)
        await follower.look()
        #expect(!isInvalid())
        try folder.write(Self.prices("2"), to: "prices.yaml")
        await follower.look()
        #expect(prices.prices.version == "2")
        try folder.write("version: [", to: "prices.yaml")
        await follower.look()
        #expect(prices.prices.version == "2")
        #expect(isInvalid())
        // The plans change while the prices stay refused.
        try folder.write(
            BuiltInPlans.plansYAML.replacing("displayName: Pro\n", with: "displayName: Professional\n"),
            to: "plans.yaml")
        await follower.look()
        #expect(plans.catalogue.plan("pro")?.displayName == "Professional")
        #expect(isInvalid())
        try folder.write(Self.prices("3"), to: "prices.yaml")
        await follower.look()
        #expect(prices.prices.version == "3")
        #expect(!isInvalid())
        try folder.write("plans: 1\n", to: "plans.yaml")
        await follower.look()
        #expect(plans.catalogue.plan("pro")?.displayName == "Professional")
        #expect(isInvalid())
    }
}
