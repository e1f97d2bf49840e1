// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import HTTPService
internal import Logging
internal import Pipeline

/// The parts of a server that know plans and count requests.
struct LimitParts: Sendable {
    /// The catalogue in force.
    let plans: PlanBook
    /// The step of the pipeline.
    let stage: RequestLimitStage
    private let follower: PlanFileFollower?

    /// - Parameter redis: where requests are counted for all replicas; nil where each counts its own.
    /// - Throws: `StartupProblem` when the catalogue cannot be used.
    init(
        _ settings: BillingSettings, redis: RedisClient?, logger: Logger, metrics: PrometheusRegistry
    ) throws(StartupProblem) {
        plans = PlanBook(try PlanLoader.load(settings.plansFile))
        let store = MemoryRequestLimitStore(maxKeys: settings.rateLimitMaxKeys, metricsFactory: metrics)
        metrics.onScrape { store.recordKeys() }
        let counting: any RequestLimitStore =
            redis.map {
                SharedRequestLimitStore(shared: RedisRequestLimitStore($0), local: store, metricsFactory: metrics)
            } ?? store
        stage = RequestLimitStage(store: counting, metricsFactory: metrics)
        if let file = settings.plansFile {
            follower = PlanFileFollower(file: file, book: plans, logger: logger, metricsFactory: metrics)
        } else {
            follower = nil
            _ = PlanFileFollower.gauge(metrics)
        }
    }

    /// What has to run as long as the server does.
    var services: [ClosureService] {
        guard let follower else { return [] }
        return [ClosureService(name: "plan catalogue") { await follower.run() }]
    }
}
