// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import Healing
internal import Logging
internal import Metrics
internal import Pipeline
internal import Synchronization
internal import TestSupport

/// The endpoints of healing over fakes.
struct HealingGate {
    static let token = "webhook-token-0123456789"
    static let key = Redacted(Array("webhook-key-of-at-least-32-bytes!".utf8))
    static let linkKey = Redacted(Array("link-key-of-at-least-thirty-two-b".utf8))

    let desk = FakeDesk()
    let silences = FakeSilences()
    var gate: Gate

    /// - Parameter knows: whether the caller's own credential is accepted.
    init(
        token: String? = token, key: Redacted<[UInt8]>? = nil, networks: [String] = [], peer: String = "192.0.2.10",
        knows: Bool = false, session: String? = nil
    ) {
        let decider = FakeDecider(admit: { request in
            let path = String(request.target.prefix { $0 != "?" })
            guard knows || path == "/ack/link" else {
                return .refused(
                    Refusal(.authMissingToken), principal: .anonymous, action: "monitor.write", route: path,
                    canonicalPath: path)
            }
            let principal =
                knows
                ? Principal(
                    subject: "ann", identityType: .user, authSource: .jwt, tenantID: "acme", sessionID: session)
                : .anonymous
            return .allowed(
                OwnCaller(
                    principal: principal, admin: false, action: "monitor.write", route: path, canonicalPath: path,
                    holds: { _ in true }))
        })
        gate = Gate(decider: decider, peer: peer)
        gate.webhook = AlertWebhook(
            token: token.map { Redacted($0) }, key: key, networks: networks.compactMap { CIDR($0) },
            clock: gate.clock, metricsFactory: gate.registry)
        gate.modules = [
            HealingRoutes(desk: desk),
            AckRoutes(
                AckRoutes.Parts(
                    silences: silences, linkKey: Self.linkKey, maximumSeconds: 604_800, audit: gate.audit,
                    uses: gate.keys, desk: desk, clock: gate.clock, random: SeededRandom(seed: 1),
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })),
        ]
    }

    /// A link for ten minutes.
    func link(labels: JSONObject = ["alertname": "A"], id: String = "j1") throws -> String {
        AckLink(
            request: try AckRequest.read(["labels": .object(labels), "duration": "2h"], maximumSeconds: 604_800),
            recipient: "slack", expiresAt: gate.clock.now().adding(seconds: 600), id: id
        ).token(key: Self.linkKey)
    }
}

/// Remembers what it was told.
final class FakeDesk: HealingDesk {
    private let state = Mutex<(payloads: [AlertPayload], isHalted: Bool)>(([], true))

    var payloads: [AlertPayload] { state.withLock { $0.payloads } }

    func receive(_ payload: AlertPayload, requestID: String?) async throws(Refusal) -> [AlertResult] {
        state.withLock { $0.payloads.append(payload) }
        return payload.alerts.map { AlertResult($0, .skipped, reason: "disabled") }
    }

    func resume() async throws(Refusal) -> Bool {
        state.withLock { state in
            defer { state.isHalted = false }
            return state.isHalted
        }
    }

    func emitted(_ kind: HealingEvent.Kind) {}

    func status() -> JSONObject { ["status": "ok"] }
}

/// An Alertmanager that a test can take away.
final class FakeSilences: SilenceMaking {
    private let state = Mutex<(made: [JSONObject], isAway: Bool)>(([], false))
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)

    /// Has something happen when a silence is made.
    func whenMade(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

    var made: [JSONObject] { state.withLock { $0.made } }
    func goAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func create(_ silence: JSONObject) async throws(Refusal) -> String {
        let count = state.withLock { state -> Int? in
            guard !state.isAway else { return nil }
            state.made.append(silence)
            return state.made.count
        }
        guard let count else {
            throw Refusal(.healingAlertmanagerFailed, message: "Alertmanager did not take the silence: no answer")
        }
        hook.withLock { $0 }?()
        return "silence-\(count)"
    }
}
