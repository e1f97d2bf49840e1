// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import HTTPService
internal import Logging

/// The background work of billing that goes over all accounts, and what follows the store.
struct BillingWorkers: Sendable {
    /// Pauses between rounds.
    private static let walkPause = Duration.seconds(300)
    private static let retentionPause = Duration.seconds(600)
    private static let pricesPause = Duration.seconds(2)
    private static let checkPause = Duration.seconds(60)

    let prices: PriceKeeper
    private let walk: AccountWalk
    private let retention: RetentionWorker
    private let check: CatalogueWarning?

    init(
        _ world: BillingParts.World, billing: BillingService, events: ProviderEventService,
        provider: (any PaymentProvider)?
    ) {
        let (settings, logger) = (world.settings, world.logger)
        prices = PriceKeeper(
            book: world.prices, plans: world.plans, documents: world.ledger,
            isFileInForce: settings.plans.pricesFile != nil, clock: world.clock, random: world.random,
            logger: logger)
        let meter = provider.flatMap { provider in
            settings.stripe.meterEventName.map {
                MeterReportWorker(
                    billing: billing, provider: provider, event: $0, logger: logger, metricsFactory: world.metrics)
            }
        }
        let reader = provider.map {
            ProviderReadWorker(billing: billing, events: events, provider: $0, random: world.random, logger: logger)
        }
        walk = AccountWalk(
            billing: billing, meter: meter, reader: reader, logger: logger, metricsFactory: world.metrics)
        retention = RetentionWorker(
            ledger: world.ledger, dedupWindow: settings.credits.dedupWindow, clock: world.clock)
        check = provider.map { CatalogueWarning(plans: world.plans, provider: $0, logger: logger) }
    }

    /// What only workers do.
    func services(_ rounds: @escaping BillingParts.Rounds) -> [ClosureService] {
        [
            ClosureService(name: "billing accounts") { [walk] in
                await rounds("accounts one by one", Self.walkPause) {
                    try await walk.round()
                    return false
                }
            },
            ClosureService(name: "billing retention") { [retention] in
                await rounds("retention", Self.retentionPause) { try await retention.step() }
            },
        ]
    }

    /// What every replica does that rates.
    func followers(_ rounds: @escaping BillingParts.Rounds) -> [ClosureService] {
        var services = [
            ClosureService(name: "price list") { [prices] in
                await rounds("price list", Self.pricesPause) {
                    try await prices.follow()
                    return false
                }
            }
        ]
        if let check {
            services.append(
                ClosureService(name: "catalogue check") {
                    await rounds("catalogue check", Self.checkPause) {
                        await check.look()
                        return false
                    }
                })
        }
        return services
    }

    /// Puts the kept price list in force.
    ///
    /// - Throws: `StartupProblem` with the mend; `BillingStoreError`.
    func start() async throws {
        do {
            try await prices.load()
        } catch let fault as PriceKeeper.Fault {
            throw StartupProblem(
                "the price list that was put over the API is no list any more: \(fault). Put back the plan catalogue that it was made for, or name a list with TOLLGATE_BILLING_PRICES_FILE"
            )
        }
    }
}

/// What the endpoint of prices puts.
struct KeptPriceList: PriceKeeping {
    let keeper: PriceKeeper

    func put(_ prices: PriceList, document: JSONValue) async throws(Refusal) {
        try await keeper.put(prices, document: document)
    }
}
