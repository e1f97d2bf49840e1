// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import RuntimeState

/// A sidecar's connection to its operator.
struct UpstreamLink: Sendable {
    let settings: SidecarSettings
    let client: UpstreamClient
    /// Hands on the uses of credentials.
    let usage: UpstreamUsage

    init(_ settings: SidecarSettings, clock: any WallClock, logger: Logger, metrics: PrometheusRegistry) {
        self.settings = settings
        client = UpstreamClient(
            server: settings.upstream.origin,
            credential: settings.token.map { UpstreamCredential(text: $0) }
                ?? UpstreamCredential(file: settings.tokenFile),
            authorities: settings.authorities, maximumBytes: SidecarDocument.maximumBytes)
        usage = UpstreamUsage(
            client: client, clock: clock, time: SystemMonotonicClock(), logger: logger, metricsFactory: metrics)
    }

    /// The index of the audit trail that also hands on what is written.
    func auditIndex(beside inner: (any AuditIndexing)?, directory: String, logger: Logger) -> any AuditIndexing {
        UpstreamAuditIndex(
            client: client, inner: inner, notePath: "\(directory)/upstream.json", time: SystemMonotonicClock(),
            logger: logger)
    }
}
