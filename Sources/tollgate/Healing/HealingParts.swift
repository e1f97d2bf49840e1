// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Connectors
internal import ControllerRuntime
internal import Essentials
internal import HTTPService
internal import Healing
internal import Logging
internal import SelfManagement

/// The parts of a server that heal.
struct HealingParts: Sendable {
    /// What they need of the rest of the server.
    struct World: Sendable {
        var settings: TollgateSettings
        var authentication: AuthenticationSettings
        var store: any HealingStore
        var idempotency: any IdempotencyStore
        var origin: ObjectOrigin
        /// Whether the store is one that replicas share.
        var isShared: Bool
        var audit: AuditLog
        var clock: any WallClock
        var random: any RandomSource
        var logger: Logger
        var metrics: PrometheusRegistry
    }

    let webhook: AlertWebhook
    let modules: [any OwnAPIModule]
    /// Queues notices; nil where no channel has an address.
    let notices: NoticeTeller?
    private let healer: Healer
    private let courier: NoticeCourier
    private let rules: RulesBook
    private let follower: RulesFileFollower?

    /// - Throws: `StartupProblem` when the rules file cannot be used.
    init(_ world: World) throws {
        let healing = world.settings.healing
        let metrics = HealingMetrics(factory: world.metrics)
        rules = RulesBook(try Self.rules(healing))
        metrics.loaded(rules.rules)
        // Until the first pass, age counts from here: an alert on it would otherwise fire at every start.
        metrics.beat(at: world.clock.now())
        Self.warn(rules.rules, healing, world.logger)
        if world.isShared, healing.admitsByAddressAlone {
            world.logger.warning(
                "AUTOHEAL_WEBHOOK_CIDRS admits only at the replica that leads: with several replicas set AUTOHEAL_WEBHOOK_TOKEN or AUTOHEAL_WEBHOOK_HMAC_KEY"
            )
        }
        follower = healing.rulesFile.map { [rules] file in
            RulesFileFollower(file: file, book: rules, metrics: metrics, logger: world.logger) { rules in
                Self.warn(rules, healing, world.logger)
            }
        }
        let poster = try Self.poster(world)
        let time = SystemMonotonicClock()
        let fence = world.origin.fence
        courier = NoticeCourier(
            outbox: world.store, senders: Self.senders(world, poster: poster), fence: fence, clock: world.clock,
            time: time, metrics: metrics, logger: world.logger)
        var gates = healing.gates
        gates.namespaces = Set(healing.namespaces.isEmpty ? [world.origin.ownNamespace] : healing.namespaces)
        let redactor = Redactor(level: world.settings.audit.trail.redaction)
        let teller = NoticeTeller(
            outbox: world.store, configured: healing.channels, clock: world.clock, random: world.random,
            metrics: metrics, logger: world.logger, arrival: { [courier] in courier.wake() })
        notices = healing.channels.isEmpty ? nil : teller
        let healer = Healer(
            Healer.Parts(
                settings: gates, rules: rules, store: Self.books(world), executor: Self.executor(world), fence: fence,
                recorder: HealingRecorder(
                    audit: world.audit, metrics: metrics, clock: world.clock, logger: world.logger),
                teller: teller, metrics: metrics, chaosPermille: healing.chaosPermille, redact: { redactor.text($0) },
                clock: world.clock, time: time, random: world.random, logger: world.logger))
        self.healer = healer
        if case .cluster(let link) = world.origin { link.leading.listen { healer.beganLeading() } }
        world.metrics.onScrape { healer.recordGauges() }
        webhook = AlertWebhook(
            token: healing.webhookToken, key: healing.webhookKey, networks: healing.webhookNetworks,
            clock: world.clock, metricsFactory: world.metrics)
        let desk = HealerDesk(
            healer: healer, healing: healing, rules: rules, metrics: metrics,
            acceptsIssuers: world.authentication.configuresIssuers, clock: world.clock)
        modules = [
            HealingRoutes(desk: desk),
            AckRoutes(
                AckRoutes.Parts(
                    silences: AlertmanagerClient(url: "\(healing.alertmanager)", poster: poster),
                    linkKey: healing.linkKey, maximumSeconds: healing.ackMaximum, audit: world.audit,
                    uses: world.idempotency, desk: desk, clock: world.clock, random: world.random,
                    logger: world.logger)),
        ]
    }

    /// What has to run as long as the server does.
    var services: [ClosureService] {
        [
            ClosureService(name: "healing") { [healer] in await healer.run() },
            ClosureService(name: "notices") { [courier] in await courier.run() },
        ]
            + (follower.map { follower in
                [ClosureService(name: "healing rules") { await follower.run() }]
            } ?? [])
    }

    /// Lines of `/readyz?verbose`: none of them keeps the process from being ready.
    func checks() -> [ReadinessCheck] {
        if let problem = rules.problem {
            return [
                ReadinessCheck(
                    name: "healing", status: .degraded,
                    detail: "the rules file is refused, the last good rules are in force: \(problem.prefix(512))")
            ]
        }
        guard let halt = healer.shownBooks.halt else {
            return [ReadinessCheck(name: "healing", status: .ok, detail: "\(rules.rules.rules.count) rules")]
        }
        return [ReadinessCheck(name: "healing", status: .degraded, detail: "halted: \(halt.reason)")]
    }

    // MARK: - Making

    private static func rules(_ healing: HealingConfiguration) throws -> HealingRules {
        guard let file = healing.rulesFile else { return HealingRules() }
        do {
            return try RulesFile.load(file)
        } catch {
            throw StartupProblem("AUTOHEAL_RULES_FILE: \(error)")
        }
    }

    /// Rules that name a channel without an address tell nobody.
    private static func warn(_ rules: HealingRules, _ healing: HealingConfiguration, _ logger: Logger) {
        let missing = Set(rules.rules.flatMap(\.channels)).subtracting(healing.channels)
        guard !missing.isEmpty else { return }
        logger.warning(
            "rules name channels that are not configured: nobody is told by them",
            metadata: ["channels": "\(missing.map(\.rawValue).sorted().joined(separator: ", "))"])
    }

    /// What the operator's own address names may be called as it says; everything else within the outgoing guard.
    private static func poster(_ world: World) throws -> OutboundPoster {
        var allowed = world.authentication.egressAllow
        allowed.append(world.settings.healing.alertmanager.host)
        return OutboundPoster(egress: try EgressRules(allowing: allowed))
    }

    private static func books(_ world: World) -> any HealingBookStore {
        guard case .cluster(let link) = world.origin, !world.isShared else { return world.store }
        let cluster = world.settings.cluster
        return ConfigMapBooks(
            api: FencedAPI(link.api, fence: link.elector), namespace: link.ownNamespace,
            name: "\(cluster.deployment ?? cluster.lease)-healing-state")
    }

    private static func executor(_ world: World) -> any ActionExecutor {
        guard case .cluster(let link) = world.origin else { return NoClusterExecutor() }
        let cluster = world.settings.cluster
        return ClusterExecutor(
            api: FencedAPI(link.api, fence: link.elector),
            own: SelfInfo(
                namespace: link.ownNamespace, podName: cluster.podName, deployment: cluster.deployment))
    }

    private static func senders(
        _ world: World, poster: OutboundPoster
    ) -> [HealingRule.Channel: any NoticeSending] {
        let healing = world.settings.healing
        var links: AckLinkMaker?
        if let url = healing.publicURL, let key = healing.linkKey {
            links = AckLinkMaker(
                publicURL: "\(url)", key: key, maximumSeconds: healing.ackMaximum, clock: world.clock,
                random: world.random)
        }
        var senders: [HealingRule.Channel: any NoticeSending] = [:]
        if let url = healing.slackURL { senders[.slack] = SlackSender(url: url, poster: poster, links: links) }
        if let key = healing.pagerDutyKey { senders[.pagerduty] = PagerDutySender(routingKey: key, poster: poster) }
        if let notify = healing.notify {
            senders[.webhook] = SignedWebhookSender(
                url: notify.url, secret: notify.secret, poster: poster, clock: world.clock)
        }
        return senders
    }
}

/// Where a server without shared replicas keeps books and notices.
typealias HealingStore = HealingBookStore & NoticeOutbox

extension ObjectOrigin {
    /// Who may act.
    fileprivate var fence: any LeadershipFence {
        if case .cluster(let link) = self { link.elector } else { AlwaysLeading() }
    }
}
