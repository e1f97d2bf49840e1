// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import Logging
internal import Pipeline
internal import Synchronization
internal import TestSupport

/// Live events behind a real listener, over a hub whose clock a test moves.
struct StreamGate: Sendable {
    /// What the decider says from now on.
    final class Admission: Sendable {
        private let state = Mutex<(refusal: Refusal?, holding: Set<String>?, principal: Principal)>(
            (nil, nil, FakeDecider.principal))

        func refuse(_ refusal: Refusal?) { state.withLock { $0.refusal = refusal } }
        /// Holds only those permissions, and is no administrator.
        func hold(_ permissions: Set<String>?) { state.withLock { $0.holding = permissions } }
        func become(_ principal: Principal) { state.withLock { $0.principal = principal } }

        func admit(_ request: OwnRequest) -> OwnAdmission {
            let (refusal, holding, principal) = state.withLock { $0 }
            let path = String(request.target.prefix { $0 != "?" })
            if let refusal {
                return .refused(
                    refusal, principal: .anonymous, action: "monitor.read", route: nil, canonicalPath: path)
            }
            return .allowed(
                OwnCaller(
                    principal: principal, admin: holding == nil, action: "monitor.read", route: "GET \(path)",
                    canonicalPath: path, holds: { holding?.contains($0) ?? true }))
        }
    }

    let admission = Admission()
    let clock = ManualMonotonicClock()
    let history = FakeHistory()
    let hub: LiveHub
    let gate: Gate
    /// The instruments of the hub.
    let registry: PrometheusRegistry

    init(origins: [String] = [], audit: FakeAudit = FakeAudit(), change: (inout LiveSettings) -> Void = { _ in }) {
        var settings = LiveSettings()
        change(&settings)
        let registry = PrometheusRegistry()
        self.registry = registry
        hub = LiveHub(
            settings: settings, history: history, clock: clock, metrics: LiveMetrics(factory: registry))
        let decider = FakeDecider(admit: { [admission] in admission.admit($0) })
        var gate = Gate(decider: decider, audit: audit)
        gate.settings.corsOrigins = origins
        gate.modules = [
            StreamRoutes(
                StreamParts(
                    hub: hub, decider: decider, audit: gate.audit, clock: gate.clock, time: clock,
                    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        ]
        self.gate = gate
    }

    /// Takes entries round.
    func write(_ rows: [AuditRow]) {
        hub.add(rows)
        hub.flush()
    }

    /// Moves the clock and has the hub look at it.
    func pass(_ seconds: Int) {
        for _ in 0..<seconds {
            clock.advance(by: .seconds(1))
            hub.tick()
        }
    }

    /// Sends a request and keeps the connection while the body runs.
    func connect<Value: Sendable>(
        _ request: String, _ body: @escaping @Sendable (StreamClient) async throws -> Value
    ) async throws -> Value {
        try await gate.live { port in
            let value = try await StreamClient.with(port: port, request, body)
            // Before the listener stops: a stream that ends with it ends for another reason.
            try await Eventually.holds("the place to be free") { hub.clients == 0 }
            return value
        }
    }

    /// What was recorded of streams, in order.
    var phases: [String] { gate.audit.queued.compactMap { $0.metadata["phase"]?.stringValue } }

    /// The record of the end of a stream.
    func end() async throws -> AuditDraft {
        try await Eventually.value("the record of the end") {
            gate.audit.queued.first { $0.metadata["phase"] == "closed" }
        }
    }
}
