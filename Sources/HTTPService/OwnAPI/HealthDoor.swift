// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Hummingbird

/// `/health`, `/healthz`, `/livez`, `/readyz`: open, not recorded, never slow.
struct HealthDoor: Sendable {
    static let metricsType = "text/plain; version=0.0.4; charset=utf-8"

    let readiness: any ReadinessReporting
    let clock: any WallClock

    /// Whether the path is one of the health endpoints.
    static func serves(_ path: Substring) -> Bool {
        switch path {
        case "/health", "/healthz", "/livez", "/readyz": true
        default: false
        }
    }

    /// The answer; `verbose` lists the checks.
    func respond(path: Substring, verbose: Bool) -> Response {
        switch path {
        case "/livez": return text(readiness.isLive ? "ok\n" : "failed\n", status: readiness.isLive ? 200 : 503)
        case "/readyz": return ready(verbose: verbose)
        default: return Answers.json(state).uncached()
        }
    }

    /// The body of `/health`.
    var state: JSONObject {
        [
            "status": .string(readiness.isDraining ? "draining" : "ok"),
            "timestamp": .string(clock.now().rfc3339),
        ]
    }

    private func ready(verbose: Bool) -> Response {
        let draining = readiness.isDraining
        let checks = readiness.checks()
        let isReady = !draining && !checks.contains { $0.status == .failed }
        guard verbose else { return text(isReady ? "ok\n" : "not ready\n", status: isReady ? 200 : 503) }
        var lines = checks.map { check in
            let mark = check.status == .failed ? "[-]" : "[+]"
            return "\(mark)\(check.name) \(check.status.rawValue)\(check.detail.isEmpty ? "" : ": \(check.detail)")"
        }
        if draining { lines.append("[-]drain failed: draining") }
        lines.append(isReady ? "readyz check passed" : "readyz check failed")
        return text(lines.joined(separator: "\n") + "\n", status: isReady ? 200 : 503)
    }

    private func text(_ text: String, status: Int) -> Response {
        Answers.text(Array(text.utf8), status: status).uncached()
    }
}
