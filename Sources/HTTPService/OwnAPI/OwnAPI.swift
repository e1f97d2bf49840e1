// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Pipeline

/// Tollgate's own API: admits, dispatches, records.
final class OwnAPI: Sendable {
    let dependencies: HTTPDependencies
    let table: OwnRouteTable
    let decisions: DecisionsDoor
    let browser: BrowserRules
    let health: HealthDoor
    let metrics: HTTPMetrics
    private let idempotency: OwnIdempotency
    private let recorder: OwnRecorder

    init(dependencies: HTTPDependencies, decisions: DecisionsDoor, browser: BrowserRules, metrics: HTTPMetrics) {
        self.dependencies = dependencies
        table = OwnRouteTable(
            routes: ServiceTokenRoutes(tokens: dependencies.tokens, auditTrail: dependencies.auditTrail).routes
                + AdminRoutes(dependencies: dependencies).routes + dependencies.modules.flatMap(\.routes))
        self.decisions = decisions
        self.browser = browser
        self.metrics = metrics
        health = HealthDoor(readiness: dependencies.readiness, clock: dependencies.clock)
        idempotency = OwnIdempotency(keeper: dependencies.idempotency, logger: dependencies.logger)
        recorder = OwnRecorder(audit: dependencies.audit, clock: dependencies.clock)
    }

    /// A health endpoint; `?verbose` counts only where the caller is known.
    func health(_ exchange: Exchange, path: Substring) async -> Response {
        var verbose = false
        if path == "/readyz", QueryItems(target: exchange.target).has("verbose"),
            case .allowed(let caller) = await dependencies.decider.admit(exchange.ownRequest)
        {
            verbose = !caller.principal.isAnonymous
        }
        var response = health.respond(path: path, verbose: verbose)
        browser.apply(to: &response, exchange: exchange, path: String(path))
        return response
    }

    /// Answers anything but the health and forward-auth paths.
    func respond(to request: Request, exchange: Exchange, decisionCall: DecisionsDoor.Call?) async throws -> Response {
        if browser.isPreflight(exchange) {
            return await closed(browser.preflight(exchange), exchange, OwnRecord(exchange))
        }
        var record = OwnRecord(exchange)
        let caller: OwnCaller
        switch await dependencies.decider.admit(exchange.ownRequest) {
        case .refused(let refusal, let principal, let action, let route, let path):
            record.principal = principal
            record.action = action
            record.route = route
            record.path = path
            return await refuse(refusal, exchange, record)
        case .allowed(let admitted):
            caller = admitted
            record.admit(caller)
        }
        if let decisionCall, exchange.method == "POST" {
            return try await decide(request, exchange, caller, decisionCall, record)
        }
        do {
            return try await dispatch(request, exchange, caller, record)
        } catch let refusal as Refusal {
            return await refuse(refusal, exchange, record)
        }
    }

    /// The decisions doors: what was decided has recorded itself, a call that is at fault is recorded here.
    private func decide(
        _ request: Request, _ exchange: Exchange, _ caller: OwnCaller, _ call: DecisionsDoor.Call,
        _ record: OwnRecord
    ) async throws -> Response {
        do {
            var response = try await decisions.respond(to: request, exchange: exchange, caller: caller, call: call)
            browser.apply(to: &response, exchange: exchange, path: exchange.rawPath)
            metrics.answered(status: response.status.code)
            return response
        } catch let refusal as Refusal {
            return await refuse(refusal, exchange, record)
        }
    }

    private func dispatch(
        _ request: Request, _ exchange: Exchange, _ caller: OwnCaller, _ record: OwnRecord
    ) async throws -> Response {
        var record = record
        guard !caller.canonicalPath.hasPrefix("/.well-known/") else { throw Refusal(.requestNotFound) }
        let found = table.match(method: exchange.method, path: caller.canonicalPath)
        guard case .route(let route, let captures) = found else {
            guard case .otherMethods(let methods) = found else { throw Refusal(.requestNotFound) }
            throw Refusal(.requestMethodNotAllowed, details: ["allowed": .strings(methods)])
        }
        if route.effect == .write { try dependencies.audit.checkWritable() }
        let call = OwnCall(
            caller: caller, exchange: exchange, captures: captures, query: QueryItems(target: exchange.target),
            body: try await body(request, exchange, atMost: route.bodyBytes))
        let (answer, replayed) = try await idempotency.run(call, route: route)
        record.resource = answer.auditResource
        record.metadata = answer.auditMetadata
        var response = self.response(answer)
        for field in answer.fields { response.headers[field.name] = field.value }
        if replayed {
            response.headers[.idempotencyReplayed] = "true"
            record.metadata["replayed"] = true
        }
        guard route.pattern != "/metrics", answer.isRecorded else { return finished(response, exchange) }
        return await closed(response, exchange, record, durable: route.effect == .write && !replayed)
    }

    private func body(_ request: Request, _ exchange: Exchange, atMost bytes: Int) async throws -> JSONObject {
        guard exchange.method != "GET", exchange.method != "HEAD" else { return JSONObject() }
        let bytes = try await BodyReader.read(request, atMost: bytes)
        return bytes.readableBytes == 0 ? JSONObject() : try BodyReader.object(bytes)
    }

    private func response(_ answer: OwnAnswer) -> Response {
        if let text = answer.text { return Answers.text(text.bytes, status: answer.status, type: text.type) }
        guard let json = answer.json else { return Response(status: .init(code: answer.status)) }
        return Answers.json(json, status: answer.status)
    }

    private func refuse(_ refusal: Refusal, _ exchange: Exchange, _ record: OwnRecord) async -> Response {
        var record = record
        record.code = refusal.code.rawValue
        var response = Answers.refusal(refusal, requestID: exchange.requestID)
        if refusal.code == .requestMethodNotAllowed, let methods = refusal.details?["allowed"]?.arrayValue {
            response.headers[.allow] = methods.compactMap(\.stringValue).joined(separator: ", ")
        }
        guard exchange.rawPath != "/metrics" else { return finished(response, exchange) }
        return await closed(response, exchange, record)
    }

    /// Records the answer before it goes out; what cannot be recorded is not answered.
    private func closed(
        _ response: Response, _ exchange: Exchange, _ record: OwnRecord, durable: Bool = false
    ) async -> Response {
        do {
            try await recorder.record(record, status: response.status.code, durable: durable)
            return finished(response, exchange)
        } catch {
            return finished(Answers.refusal(error, requestID: exchange.requestID), exchange)
        }
    }

    private func finished(_ response: Response, _ exchange: Exchange) -> Response {
        var response = response
        browser.apply(to: &response, exchange: exchange, path: exchange.rawPath)
        metrics.answered(status: response.status.code)
        return response
    }
}

extension Exchange {
    /// The request as the pipeline admits it.
    var ownRequest: OwnRequest {
        OwnRequest(
            method: method, target: target, headers: headers, clientAddress: client,
            clientIsTrustedProxy: clientIsTrusted, clientCertificate: clientCertificate, requestID: requestID)
    }
}
