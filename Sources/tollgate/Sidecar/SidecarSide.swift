// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Metrics
internal import Reconcilers
internal import RuntimeState
internal import ServiceLifecycle

/// The control side of a sidecar: what the operator gives, and nothing else.
struct SidecarSide: ControlSide {
    private static let patienceAtEnd = Duration.seconds(3)

    private let link: UpstreamLink
    private let control: SidecarControl
    private let tokens: ServiceTokenKeeper
    private let keys: APIKeyKeeper
    private let ending = Signal()
    private let time = SystemMonotonicClock()
    let catalog: any ResourceCatalog

    init(_ parts: ControlParts, link: UpstreamLink, metrics: PrometheusRegistry) throws {
        self.link = link
        let defaults = try parts.settings.realmDefaults(parts.authentication)
        control = SidecarControl(
            SidecarControl.Parts(
                client: link.client, settings: link.settings, tokens: parts.registry.table, keys: parts.keys.table,
                keySets: parts.keySets, snapshots: parts.snapshots, policy: parts.policy.keeper,
                ownRealm: AuthenticationRealm(mode: .required, issuers: defaults.issuers),
                prefixes: parts.authentication.prefixes, clock: parts.clock, time: time, random: parts.random,
                logger: parts.logger), metricsFactory: metrics)
        tokens = ServiceTokenKeeper(registry: parts.registry, metricsFactory: metrics)
        keys = APIKeyKeeper(registry: parts.keys.registry, metricsFactory: metrics)
        catalog = parts.snapshots
        metrics.onScrape { [control] in control.recordAge() }
    }

    var keepsCredentials: Bool { true }

    var services: [any Service] {
        [
            ClosureService(name: "upstream") { [control] in await control.run() },
            ClosureService(name: "uses") { [self] in await keepUses() },
            ClosureService(name: "records") { [link] in await link.usage.run() },
        ] as [any Service]
    }

    var isLive: Bool { true }

    func checks() -> [ReadinessCheck] { [control.check()] }

    func start() async { control.start() }

    func hold() async {
        await ending.wait()
        _ = await time.limited(to: Self.patienceAtEnd) { [link] in await link.usage.send() }
        await link.client.shutdown()
    }

    func release() { ending.call() }

    /// Whether the store answers is not asked here: the operator's answers say it.
    private func keepUses() async {
        while !Task.isCancelled {
            tokens.recordMetrics()
            keys.recordMetrics()
            // Cancelled: the loop ends at its condition, and what is left is handed on below.
            try? await time.pause(for: .seconds(CredentialRhythm.flushSeconds))
            await tokens.flush()
            await keys.flush()
        }
    }
}
