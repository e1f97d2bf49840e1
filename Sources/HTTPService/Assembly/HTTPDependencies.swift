// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
package import Logging
package import Pipeline
package import RuntimeState

/// Everything the HTTP doors call. They hold no state of their own but counters.
package struct HTTPDependencies: Sendable {
    package var decider: any RequestDeciding
    package var audit: any AuditRecording
    package var tokens: any ServiceTokenService
    package var auditTrail: any AuditQuerying
    package var resources: any ResourceCatalog
    package var idempotency: any IdempotencyStore
    package var addresses: any ClientAddressResolving
    package var authBlocks: any AuthBlockService
    package var readiness: any ReadinessReporting
    package var metrics: PrometheusRegistry
    /// Further routes of the own API.
    package var modules: [any OwnAPIModule]
    /// Who takes what only the leader answers to it; nil where this process is the only one.
    package var leader: (any LeaderForwarding)?
    /// Who may report alerts; nil where there is no healing.
    package var webhook: AlertWebhook?
    package var clock: any WallClock
    package var logger: Logger
    /// Who is taken as the peer where the transport names none, as in tests without a socket. Never trust it.
    package var unknownPeer: IPAddress

    package init(
        decider: any RequestDeciding, audit: any AuditRecording, tokens: any ServiceTokenService,
        auditTrail: any AuditQuerying, resources: any ResourceCatalog, idempotency: any IdempotencyStore,
        addresses: any ClientAddressResolving, authBlocks: any AuthBlockService,
        readiness: any ReadinessReporting, metrics: PrometheusRegistry, modules: [any OwnAPIModule] = [],
        leader: (any LeaderForwarding)? = nil, webhook: AlertWebhook? = nil, clock: any WallClock, logger: Logger,
        unknownPeer: IPAddress = IPAddress(ipv4: 0)
    ) {
        self.decider = decider
        self.audit = audit
        self.tokens = tokens
        self.auditTrail = auditTrail
        self.resources = resources
        self.idempotency = idempotency
        self.addresses = addresses
        self.authBlocks = authBlocks
        self.readiness = readiness
        self.metrics = metrics
        self.modules = modules
        self.leader = leader
        self.webhook = webhook
        self.clock = clock
        self.logger = logger
        self.unknownPeer = unknownPeer
    }
}
