// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Pipeline
internal import Reconcilers

/// The parts of a server that keep accounts: the engine over the ledger, what the payment provider tells, and webhooks to owners.
struct BillingParts: Sendable {
    /// What they need of the rest of the server.
    struct World: Sendable {
        var settings: TollgateSettings
        var ledger: any BillingLedger
        var plans: PlanBook
        var prices: PriceBook
        var egress: EgressRules
        var clock: any WallClock
        var random: any RandomSource
        var logger: Logger
        var metrics: PrometheusRegistry
        /// Where claims of usage are named to workers; nil = they look for them.
        var queue: (any UsageQueue)?
        /// Told after each round of background work how it ended.
        var ended: @Sendable (_ work: String, _ fault: (any Error)?) -> Void = { _, _ in }
    }

    /// Pauses between rounds of background work that found nothing to do.
    private static let sweepPause = Duration.seconds(2)
    /// To count is to look at every one of them.
    private static let countPause = Duration.seconds(15)
    private static let deliveryPause = Duration.seconds(1)
    private static let retryPause = Duration.seconds(30)
    /// What other processes write of accounts is in force here after so long.
    private static let readPause = Duration.seconds(10)

    /// Runs rounds of work until it is cancelled: name, pause after a round that found nothing, and the round.
    typealias Rounds = @Sendable (String, Duration, @escaping @Sendable () async throws -> Bool) async -> Void

    let module: BillingRoutes
    let workers: BillingWorkers
    /// What the controller hands Subscriptions to.
    let accounts: SubscriptionAccounts
    private let billing: BillingService
    private let events: ProviderEventService
    private let deliveries: WebhookDeliveryWorker
    private let clock: any WallClock
    private let work: WorkRounds
    private let claims: [ClosureService]
    private let works: Bool
    /// Whether snapshots are made here.
    private let decides: Bool

    /// - Throws: `StartupProblem` when `STRIPE_API_BASE` may not be called.
    init(_ world: World, time: any MonotonicClock = SystemMonotonicClock()) throws(StartupProblem) {
        let (settings, clock, logger, metrics) = (world.settings, world.clock, world.logger, world.metrics)
        billing = BillingService(
            ledger: world.ledger, plans: world.plans, prices: world.prices, settings: settings.accountSettings,
            clock: clock, metricsFactory: metrics, outbox: Self.outbox)
        let secrets = settings.providerSecrets
        events = ProviderEventService(
            ledger: world.ledger, effects: AccountEffects(terms: { [billing] in billing.terms }, outbox: Self.outbox),
            plans: world.plans, rules: settings.providerEventRules, secrets: { secrets }, clock: clock, logger: logger,
            metricsFactory: metrics,
            folded: { [billing] account in
                // The next reading of all accounts finds what this one could not.
                try? await billing.readAccount(account)
            })
        accounts = SubscriptionAccounts(
            ledger: LinkingLedger(billing) { [events] customer in await events.takeParked(of: customer) }, clock: clock)
        let sender = WebhookSender(egress: world.egress, clock: clock)
        deliveries = WebhookDeliveryWorker(
            ledger: world.ledger, sender: sender, clock: clock, random: world.random, logger: logger,
            metricsFactory: metrics)
        let provider = try Self.provider(world)
        workers = BillingWorkers(world, billing: billing, events: events, provider: provider)
        module = BillingRoutes(
            BillingServices(
                billing: billing, usage: Self.usage(world, billing), events: events,
                endpoints: WebhookEndpointService(
                    ledger: world.ledger, sender: sender, clock: clock, random: world.random, logger: logger),
                provider: provider, prices: KeptPriceList(keeper: workers.prices),
                settings: settings.billingRouteSettings, clock: clock))
        self.clock = clock
        work = WorkRounds(time: time, logger: logger, ended: world.ended)
        works = settings.process.role.works
        decides = settings.process.role != .worker
        claims = works ? Self.claims(world, billing, time: time) : []
    }

    /// The ledger as decisions ask it.
    var entitlements: LedgerEntitlements { LedgerEntitlements(billing, logger: work.logger) }

    /// What runs as long as the server does: what follows the store, and the work where no other process does it.
    var services: [ClosureService] {
        var services = workers.followers(everyRound)
        if decides {
            services.append(
                ClosureService(name: "accounts") { [billing] in
                    await rounds("reading accounts", pause: Self.readPause) {
                        try await billing.readAccounts()
                        return false
                    }
                })
        }
        return works ? services + workers.services(everyRound) + ownWork + claims : services
    }

    private var ownWork: [ClosureService] {
        [
            ClosureService(name: "billing sweeps") { [billing, clock] in
                await rounds("accounts", pause: Self.sweepPause) {
                    try await billing.sweep(at: clock.now()) > 0
                }
            },
            ClosureService(name: "open reservations") { [billing] in
                await rounds("open reservations", pause: Self.countPause) {
                    try await billing.countReservations()
                    return false
                }
            },
            ClosureService(name: "webhook deliveries") { [deliveries] in
                await rounds("webhooks", pause: Self.deliveryPause) { try await deliveries.round() > 0 }
            },
            ClosureService(name: "provider events") { [events] in
                await rounds("provider events", pause: Self.retryPause) {
                    // What failed again is due later: to ask at once would find only what waits for its account.
                    _ = try await events.retry()
                    return false
                }
            },
        ]
    }

    private var everyRound: Rounds {
        { name, pause, round in await rounds(name, pause: pause, round) }
    }

    /// Reads what the ledger knows of accounts, before the first snapshot is made of it. Where it cannot be read yet, the first snapshot
    /// goes by objects alone.
    func readAccounts() async {
        do {
            try await billing.readAccounts()
        } catch {
            work.logger.warning("accounts cannot be read yet", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// Works in rounds until it is cancelled: at once again after a round that found something, else after a pause.
    private func rounds(
        _ name: String, pause: Duration, _ round: @Sendable () async throws -> Bool
    ) async {
        await work.run(name, pause: pause, round)
    }

    /// Puts what an account's owner is told beside its cause.
    private static let outbox: AccountWork.Outbox = { event, message, transaction in
        guard let account = try transaction.account()?.account else { return }
        try WebhookOutbox.add(
            event, message: message, account: account, random: SystemRandomSource(), in: transaction)
    }

    private static func provider(_ world: World) throws(StartupProblem) -> (any PaymentProvider)? {
        let access = world.settings.stripe
        guard world.settings.credits.mode == .direct, let key = access.apiKey else { return nil }
        do {
            return StripeClient(
                settings: try StripeSettings(
                    base: access.base.description, version: access.version, egress: world.egress),
                key: { key }, clock: world.clock, random: world.random, logger: world.logger,
                metricsFactory: world.metrics)
        } catch {
            throw StartupProblem(
                "STRIPE_API_BASE: \(access.base) may not be called: \(error.message). Give https, http to this machine, or name its host in TOLLGATE_EGRESS_ALLOW"
            )
        }
    }
}

extension TollgateSettings {
    /// What the accounts of the ledger depend on.
    var accountSettings: BillingSettings {
        BillingSettings(
            makesAccounts: credits.makesAccounts, timers: timers, upgradeURL: plans.upgradeURL,
            dedupWindow: credits.dedupWindow)
    }

    private var timers: ProviderTimers {
        ProviderTimers(
            pastDueGraceSeconds: credits.pastDueGrace.wholeSeconds,
            renewalSlackSeconds: credits.renewalSlack.wholeSeconds,
            staleAfterSeconds: credits.staleAfter.wholeSeconds, lapseAfterSeconds: credits.lapseAfter.wholeSeconds)
    }

    fileprivate var providerEventRules: ProviderEventRules {
        ProviderEventRules(
            window: credits.dedupWindow, timers: timers, tolerance: stripe.webhookTolerance.wholeSeconds)
    }

    fileprivate var providerSecrets: ProviderSecrets {
        ProviderSecrets(
            webhookSecrets: Redacted(stripe.webhookSecrets.map(\.revealed)), apiKey: stripe.apiKey)
    }

    fileprivate var billingRouteSettings: BillingRouteSettings {
        BillingRouteSettings(
            mode: credits.mode == .direct ? .direct : .frontend, redirectHosts: credits.redirectAllow)
    }
}
