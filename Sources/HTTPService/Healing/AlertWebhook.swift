// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
package import Essentials
internal import Healing
internal import Hummingbird
package import Metrics
internal import NIOCore
internal import Pipeline

/// Who may call `POST /alert`: whoever has the webhook's token, signs with its key or calls from one of its addresses; beside them anybody
/// whose own credential allows it.
package struct AlertWebhook: Sendable {
    private static let path = "/alert"
    private static let permission = "monitor:write"

    private let token: Redacted<String>?
    private let key: Redacted<[UInt8]>?
    private let networks: [CIDR]
    private let clock: any WallClock
    private let factory: any MetricsFactory

    /// - Parameters:
    ///   - token: a bearer token.
    ///   - key: of the signature over time and body.
    ///   - networks: addresses of the transport's other end.
    package init(
        token: Redacted<String>?, key: Redacted<[UInt8]>?, networks: [CIDR], clock: any WallClock,
        metricsFactory: any MetricsFactory
    ) {
        self.token = token
        self.key = key
        self.networks = networks
        self.clock = clock
        factory = metricsFactory
        for status in [200, 400, 401, 403, 413, 429, 503] { counter(status).increment(by: 0) }
    }

    private func counter(_ status: Int) -> Counter {
        Counter(label: "autoheal_webhook_requests_total", dimensions: [("code", String(status))], factory: factory)
    }

    /// Counts an answer.
    func answered(status: Int) { counter(status).increment() }

    /// Whether a request is a call of the webhook.
    static func isCalled(by exchange: Exchange) -> Bool {
        exchange.method == "POST" && exchange.pathAsSent == path
    }

    /// Admits by the webhook's own credentials; nil = the caller's own has to do. The body comes along where it was read for that.
    func admit(_ request: Request, _ exchange: Exchange) async throws -> (OwnAdmission?, ByteBuffer?) {
        guard token != nil || key != nil || !networks.isEmpty else {
            return (Self.refused(Refusal(.healingWebhookNotConfigured)), nil)
        }
        if let token, let sent = Self.bearer(exchange), WebhookSignature.holds(token: sent, expected: token) {
            return (.allowed(Self.alertmanager), nil)
        }
        if networks.contains(where: { $0.contains(exchange.peer) }) { return (.allowed(Self.alertmanager), nil) }
        guard let key, case .one(let signature) = exchange.headers.lookup("x-tollgate-signature"),
            case .one(let timestamp) = exchange.headers.lookup("x-tollgate-timestamp")
        else { return (nil, nil) }
        let body: ByteBuffer
        do {
            body = try await BodyReader.read(request, atMost: AlertPayload.maximumBytes)
        } catch let refusal as Refusal {
            return (Self.refused(refusal), nil)
        }
        let holds = WebhookSignature.holds(
            signature: signature, timestamp: timestamp, body: Array(body.readableBytesView), key: key,
            at: clock.now())
        return (holds ? .allowed(Self.alertmanager) : nil, body)
    }

    private static func bearer(_ exchange: Exchange) -> String? {
        guard case .one(let text) = exchange.headers.lookup("authorization") else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1)
        return parts.count == 2 && ASCII.lowercased(parts[0]) == "bearer" ? ASCII.trimmed(parts[1]) : nil
    }

    private static func refused(_ refusal: Refusal) -> OwnAdmission {
        .refused(refusal, principal: .anonymous, action: action, route: "POST \(path)", canonicalPath: path)
    }

    private static let action = "monitor.write"

    /// As a service token with this one scope would be: no roles, no tenant, not of the platform.
    private static let alertmanager = OwnCaller(
        principal: Principal(
            subject: "alertmanager", identityType: .service, authSource: .staticToken, scoped: true,
            scopes: [permission]), admin: false, action: action, route: "POST \(path)", canonicalPath: path,
        holds: { $0 == permission })
}
