// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import HTTPService
internal import Logging
internal import Pipeline

/// The parts of a server that know plans and prices and count requests.
struct LimitParts: Sendable {
    /// The catalogue in force.
    let plans: PlanBook
    /// The price list in force.
    let prices: PriceBook
    private let counting: any RequestLimitStore
    private let upgradeURL: String
    private let metrics: PrometheusRegistry
    private let follower: CatalogueFileFollower
    private let followsFiles: Bool

    /// - Parameter redis: where requests are counted for all replicas; nil where each counts its own.
    /// - Throws: `StartupProblem` when the plans or the prices cannot be used, with everything that is wrong in them.
    init(
        _ settings: PlanSettings, redis: RedisClient?, logger: Logger, metrics: PrometheusRegistry
    ) throws(StartupProblem) {
        let catalogues = try BillingCatalogues(plansFile: settings.plansFile, pricesFile: settings.pricesFile)
        plans = PlanBook(catalogues.plans)
        prices = PriceBook(catalogues.prices)
        followsFiles = settings.plansFile != nil || settings.pricesFile != nil
        let store = MemoryRequestLimitStore(maxKeys: settings.rateLimitMaxKeys, metricsFactory: metrics)
        metrics.onScrape { store.recordKeys() }
        counting =
            redis.map {
                SharedRequestLimitStore(shared: RedisRequestLimitStore($0), local: store, metricsFactory: metrics)
            } ?? store
        upgradeURL = settings.upgradeURL
        self.metrics = metrics
        follower = CatalogueFileFollower(
            plansFile: settings.plansFile, plans: plans, pricesFile: settings.pricesFile, prices: prices,
            logger: logger, metricsFactory: metrics)
    }

    /// The steps of the pipeline that admit, in their order.
    ///
    /// - Parameter entitlements: the ledger; nil where there is none: then everything that costs is refused.
    func stages(_ entitlements: (any EntitlementService)?) -> [any AdmissionStage] {
        [
            RequestLimitStage(store: counting, metricsFactory: metrics),
            EntitlementStage(service: entitlements, upgradeURL: upgradeURL, metricsFactory: metrics),
        ]
    }

    /// What has to run as long as the server does.
    var services: [ClosureService] {
        guard followsFiles else { return [] }
        return [ClosureService(name: "billing catalogues") { [follower] in await follower.run() }]
    }
}
