// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics

extension ServerAssembly {
    /// The policy engine outside of the process; nil where decisions are made in it.
    static func policyEngine(
        _ settings: TollgateSettings, clock: any WallClock, logger: Logger, metrics: PrometheusRegistry
    ) -> OPAClient? {
        // With the role check off everything is decided in the process, the own API too.
        guard let engine = settings.policyEngine, settings.policy.roleCheckEnabled else { return nil }
        Gauge(label: "tollgate_opa_fail_open", factory: metrics).record(engine.failsOpen ? 1 : 0)
        logger.notice(
            "policy questions are answered outside of the process", metadata: [LogKeys.url: "\(engine.endpoint)"])
        return OPAClient(settings: engine, clock: clock, logger: logger, metricsFactory: metrics)
    }
}
