// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import Logging
internal import NIOCore
internal import TestSupport
internal import Testing

/// The doors over fakes, with everything that a test may look at afterwards.
struct Gate: Sendable {
    var decider = FakeDecider()
    var audit = FakeAudit()
    var tokens = FakeTokens()
    var readiness = FakeReadiness()
    var modules: [any OwnAPIModule] = []
    var webhook: AlertWebhook?
    var leader: (any LeaderForwarding)?
    var trusted: [CIDR] = []
    var peer = "192.0.2.10"
    var duties: ListenerDuties = [.ownAPI, .forwardAuth]
    var settings = HTTPSettings(api: ListenAddress(host: "127.0.0.1", port: 0))
    let registry = PrometheusRegistry()
    let clock = ManualClock()

    /// A gate asked by the one trusted proxy, 10.0.0.5.
    static func behindProxy(_ decider: FakeDecider = FakeDecider()) -> Gate {
        Gate(decider: decider, trusted: [CIDR("10.0.0.0/8")].compactMap { $0 }, peer: "10.0.0.5")
    }

    var dependencies: HTTPDependencies {
        HTTPDependencies(
            decider: decider, audit: audit, tokens: tokens, auditTrail: trail, resources: FakeCatalog(),
            idempotency: keys, addresses: FakeAddresses(trusted: trusted), authBlocks: blocks,
            readiness: readiness, metrics: registry, modules: modules, leader: leader, webhook: webhook, clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            unknownPeer: IPAddress(peer) ?? IPAddress(ipv4: 0))
    }

    let keys = FakeKeys()
    let trail = FakeTrail()
    let blocks = FakeBlocks()

    var responder: GateResponder { GateResponder(settings: settings, dependencies: dependencies, duties: duties) }

    /// Sends one request through the doors without a socket.
    func send(
        _ method: HTTPRequest.Method, _ target: String, _ headers: [(String, String)] = [], body: String? = nil
    ) async throws -> Reply {
        var fields = HTTPFields()
        for (name, value) in headers {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        let sent = fields
        let response = try await Application(responder: responder, logger: dependencies.logger).test(.router) {
            client in
            try await client.executeRequest(
                uri: target, method: method, headers: sent, body: body.map { ByteBuffer(string: $0) })
        }
        return Reply(response)
    }
}

/// An answer as tests look at it.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        text = String(buffer: response.body)
    }

    /// The body as JSON; null when it is none.
    var json: JSONValue { (try? JSONParser.parse(text: text)) ?? .null }

    subscript(header: String) -> String? { HTTPField.Name(header).flatMap { headers[$0] } }

    /// The error envelope's code.
    var code: String? { json["code"]?.stringValue }
    /// The error envelope's message.
    var message: String? { json["message"]?.stringValue }
}
