// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPService
internal import Healing
internal import SelfManagement

/// Joins the doors with the healer.
struct HealerDesk: HealingDesk {
    let healer: Healer
    let healing: HealingConfiguration
    let rules: RulesBook
    let metrics: HealingMetrics
    /// Whether people of an OIDC provider may call.
    let acceptsIssuers: Bool
    let clock: any WallClock

    func receive(_ payload: AlertPayload, requestID: String?) async throws(Refusal) -> [AlertResult] {
        try await healer.receive(payload, requestID: requestID)
    }

    func resume() async throws(Refusal) -> Bool { try await healer.resume() }

    func emitted(_ kind: HealingEvent.Kind) { metrics.emitted(kind, at: clock.now()) }

    func status() -> JSONObject {
        let rate = healing.chaosPermille
        return [
            "status": "ok", "enabled": .bool(healing.gates.isEnabled), "dry_run": .bool(healing.gates.isDryRun),
            "chaos": [
                "enabled": .bool(rate > 0),
                "failure_rate_pct": rate % 10 == 0 ? .int(Int64(rate / 10)) : .double(Double(rate) / 10),
            ],
            "otel": ["enabled": false], "oidc": ["enabled": .bool(acceptsIssuers)],
            "actions": .strings(rules.rules.rules.map(\.name)),
            "public_base_url": .optional(healing.publicURL.map { "\($0)" }),
        ]
    }
}
