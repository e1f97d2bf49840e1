// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Essentials
internal import HTTPTypes
package import Hummingbird
internal import Logging
internal import Pipeline

/// What a listener serves.
package struct ListenerDuties: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The forward-auth doors.
    package static let forwardAuth = ListenerDuties(rawValue: 1)
    /// Tollgate's own API with the decisions API.
    package static let ownAPI = ListenerDuties(rawValue: 2)
    /// Readiness with every detail, and the metrics, without a credential.
    package static let probes = ListenerDuties(rawValue: 4)
}

/// The first thing that sees a request: sends it by its exact path to a door, without middleware. It is an object, because every request hands
/// it on.
package final class GateResponder: HTTPResponder {
    private let dependencies: HTTPDependencies
    private let duties: ListenerDuties
    private let forwardAuth: ForwardAuthDoor
    private let own: OwnAPI
    private let metrics: HTTPMetrics

    /// Serves one listener alone.
    package convenience init(
        settings: HTTPSettings, dependencies: HTTPDependencies, duties: ListenerDuties, overTLS: Bool = false
    ) {
        self.init(
            settings: settings, dependencies: dependencies, duties: duties, overTLS: overTLS,
            runner: DecisionRunner(settings: settings, dependencies: dependencies))
    }

    /// Serves one listener of several that share the bound on decisions at once.
    init(
        settings: HTTPSettings, dependencies: HTTPDependencies, duties: ListenerDuties, overTLS: Bool,
        runner: DecisionRunner
    ) {
        let metrics = HTTPMetrics(registry: dependencies.metrics)
        self.dependencies = dependencies
        self.duties = duties
        self.metrics = metrics
        forwardAuth = ForwardAuthDoor(
            runner: runner, records: DoorRecords(audit: dependencies.audit, metricsFactory: dependencies.metrics))
        own = OwnAPI(
            dependencies: dependencies,
            decisions: DecisionsDoor(dependencies: dependencies, runner: runner, batchMax: settings.batchMax),
            browser: BrowserRules(origins: settings.corsOrigins, overTLS: overTLS), metrics: metrics)
        dependencies.metrics.onScrape { metrics.inFlight.set(Int64(runner.inFlight)) }
    }

    /// The routes of the own API, without the decision doors.
    package var ownRoutes: [OwnRoute] { own.table.routes }

    package func respond(to request: Request, context: GateContext) async throws -> Response {
        // Probes and scrapes are no part of the service: they would water down its availability.
        let exchange = Exchange(
            request: request, context: context, dependencies: dependencies,
            counter: duties.contains(.probes) ? nil : metrics.unrouted)
        do {
            let response = try await route(request, exchange)
            exchange.isAnswered(status: response.status.code)
            guard request.method == .head else { return response }
            return response.withoutBody()
        } catch let refusal as Refusal {
            exchange.isAnswered(status: refusal.status)
            return Answers.refusal(refusal, requestID: exchange.requestID)
        } catch {
            if !(error is RequestCutShort) { exchange.isAnswered(status: 500) }
            throw error
        }
    }

    private func route(_ request: Request, _ exchange: Exchange) async throws -> Response {
        guard exchange.authority?.isEmpty == false else {
            throw Refusal(.requestBadHost, message: "The Host header is missing")
        }
        let path = exchange.pathAsSent
        if duties.contains(.forwardAuth), let door = ForwardAuthDoor.door(path: path) {
            exchange.isCounted(by: metrics.counter(of: door))
            return await forwardAuth.respond(to: request, exchange: exchange, door: door)
        }
        guard exchange.headers.first("host") == nil else {
            throw Refusal(.requestDuplicateHeader, details: ["header": "host"])
        }
        let isRead = exchange.method == "GET" || exchange.method == "HEAD"
        if isRead, HealthDoor.serves(path) {
            exchange.isCounted(by: nil)
            guard duties.contains(.probes) else { return await own.health(exchange, path: path) }
            return own.health.respond(path: path, verbose: QueryItems(target: exchange.target).has("verbose"))
        }
        if duties.contains(.ownAPI) {
            return try await own.respond(
                to: request, exchange: exchange, decisionCall: DecisionsDoor.call(path: path))
        }
        if duties.contains(.probes), isRead, path == "/metrics" {
            return Answers.text(dependencies.metrics.text(), type: HealthDoor.metricsType)
        }
        throw Refusal(.requestNotFound)
    }
}

extension Response {
    /// The answer to HEAD: the same headers, the length of the body that is left out among them.
    func withoutBody() -> Response {
        var head = self
        let length = headers[.contentLength]
        head.body = .init()
        head.headers[.contentLength] = length
        return head
    }
}
