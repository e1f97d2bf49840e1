// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
package import ServiceLifecycle

/// Answers the probes of a process that serves nothing else: of one that cannot begin its work yet, or has no work of that sort.
package struct StartupProbes: HTTPResponder {
    private let health: HealthDoor
    private let metrics: PrometheusRegistry
    private let isStarting: Bool

    /// - Parameters:
    ///   - readiness: says what is waited for.
    ///   - isStarting: whether other paths will be served later: 503, else 404.
    package init(
        readiness: any ReadinessReporting, metrics: PrometheusRegistry, isStarting: Bool = true, clock: any WallClock
    ) {
        health = HealthDoor(readiness: readiness, clock: clock)
        self.metrics = metrics
        self.isStarting = isStarting
    }

    package func respond(to request: Request, context: GateContext) async throws -> Response {
        let target = request.uri.string
        let path = target.prefix { $0 != "?" }
        guard request.method == .get || request.method == .head else { return Answers.text([], status: 405) }
        var response: Response
        if HealthDoor.serves(path) {
            response = health.respond(path: path, verbose: QueryItems(target: target).has("verbose"))
        } else if path == "/metrics" {
            response = Answers.text(metrics.text(), type: HealthDoor.metricsType)
        } else {
            response =
                isStarting
                ? Answers.text(Array("starting\n".utf8), status: 503)
                : Answers.text(Array("not found\n".utf8), status: 404)
        }
        if request.method == .head { response = response.withoutBody() }
        return response
    }

    /// The listener; it ends when its task is cancelled.
    ///
    /// - Parameter onRunning: called with the port once it accepts.
    package func listener(
        _ address: ListenAddress, logger: Logger, onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) -> any Service {
        Application(
            responder: self,
            server: .http1(
                configuration: .init(
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: HTTPLimits.headBytes, maxHeaderListSize: HTTPLimits.headBytes,
                        maxHeaderFieldCount: HTTPLimits.headLines))),
            configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port) }, logger: logger)
    }
}
