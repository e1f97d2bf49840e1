// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import HTTPService

/// What `/readyz` says about where policy questions are answered. An engine that is away does not make the process unready: what it is
/// asked is refused or, where the settings say so, let through.
enum PolicyEngineCheck {
    /// - Parameter engine: nil where decisions are made in the process.
    static func check(_ engine: OPAClient?) -> ReadinessCheck {
        engine.map { check($0.status, failsOpen: $0.settings.failsOpen) }
            ?? ReadinessCheck(name: "policy_engine", status: .ok, detail: "in the process")
    }

    /// What is said of an engine outside of the process.
    static func check(_ status: OPAClient.Status, failsOpen: Bool) -> ReadinessCheck {
        let isSound = status.isUp != false && status.breaker == "closed" && status.lastFailure == nil
        let health = status.isUp.map { $0 ? "up" : "down" } ?? "not asked yet"
        var detail = "sidecar, \(health), breaker \(status.breaker)"
        if let failure = status.lastFailure { detail += ": \(failure)" }
        if failsOpen { detail += "; fails open" }
        return ReadinessCheck(name: "policy_engine", status: isSound ? .ok : .degraded, detail: detail)
    }
}
