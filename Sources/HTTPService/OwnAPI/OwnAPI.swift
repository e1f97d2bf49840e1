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
            metrics: metrics,
            routes: ServiceTokenRoutes(tokens: dependencies.tokens, auditTrail: dependencies.auditTrail).routes
                + AdminRoutes(dependencies: dependencies).routes
                + HealingAuditRoutes(dependencies: dependencies).routes + dependencies.modules.flatMap(\.routes))
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
        if let decisionCall { exchange.isCounted(by: metrics.counter(of: decisionCall)) }
        if browser.isPreflight(exchange) {
            return await closed(browser.preflight(exchange), exchange, OwnRecord(exchange))
        }
        var record = OwnRecord(exchange)
        if exchange.pathAsSent == WebSocketHandshake.path {
            do throws(Refusal) {
                try browser.checkSocketOrigin(exchange)
            } catch {
                return await refuse(error, exchange, record)
            }
        }
        let caller: OwnCaller
        let (admission, early) = try await admit(request, exchange)
        switch admission {
        case .refused(let refusal, let principal, let action, let route, let path):
            record.principal = principal
            record.action = action
            record.route = route
            record.path = path
            countRefused(exchange, path: path)
            return await refuse(refusal, exchange, record)
        case .allowed(let admitted):
            caller = admitted
            record.admit(caller)
        }
        if let decisionCall, exchange.method == "POST" {
            return try await decide(request, exchange, caller, decisionCall, record)
        }
        do {
            return try await dispatch(request, exchange, caller, record, early)
        } catch let refusal as Refusal {
            return await refuse(refusal, exchange, record)
        }
    }

    /// Who calls, by the webhook's own credentials where it is called. The second value is the body, where they are about it.
    private func admit(_ request: Request, _ exchange: Exchange) async throws -> (OwnAdmission, ByteBuffer?) {
        if AlertWebhook.isCalled(by: exchange), let webhook = dependencies.webhook {
            let (admission, body) = try await webhook.admit(request, exchange)
            if let admission { return (admission, body) }
            return (await dependencies.decider.admit(exchange.ownRequest), body)
        }
        return (await dependencies.decider.admit(exchange.ownRequest), nil)
    }

    /// The decisions doors: what was decided has recorded itself, a call that is at fault is recorded here.
    private func decide(
        _ request: Request, _ exchange: Exchange, _ caller: OwnCaller, _ call: DecisionsDoor.Call,
        _ record: OwnRecord
    ) async throws -> Response {
        do {
            var response = try await decisions.respond(to: request, exchange: exchange, caller: caller, call: call)
            browser.apply(to: &response, exchange: exchange, path: exchange.rawPath)
            return response
        } catch let refusal as Refusal {
            return await refuse(refusal, exchange, record)
        }
    }

    private func dispatch(
        _ request: Request, _ exchange: Exchange, _ caller: OwnCaller, _ record: OwnRecord, _ early: ByteBuffer?
    ) async throws -> Response {
        var record = record
        guard !caller.canonicalPath.hasPrefix("/.well-known/") else { throw Refusal(.requestNotFound) }
        let found = table.match(method: exchange.method, path: caller.canonicalPath)
        guard case .route(let route, let captures, let counter) = found else {
            guard case .otherMethods(let methods) = found else { throw Refusal(.requestNotFound) }
            throw Refusal(.requestMethodNotAllowed, details: ["allowed": .strings(methods)])
        }
        exchange.isCounted(by: counter)
        // The path as sent may be spelt in another way.
        if caller.canonicalPath == WebSocketHandshake.path { try browser.checkSocketOrigin(exchange) }
        if route.effect == .write { try dependencies.audit.checkWritable() }
        let bytes = if let early { early } else { try await body(request, exchange, atMost: route.bodyBytes) }
        let call = OwnCall(
            caller: caller, exchange: exchange, captures: captures, query: QueryItems(target: exchange.target),
            body: bytes.readableBytes == 0 || route.isRaw ? JSONObject() : try BodyReader.object(bytes),
            bytes: route.isRaw ? Array(bytes.readableBytesView) : [])
        try route.check?(call)
        if route.leaderOnly, let leader = dependencies.leader, !leader.isLeading {
            let response = try await LeaderHop.answer(
                to: exchange, body: bytes, session: caller.session, by: leader)
            record.metadata["forwarded"] = true
            // The leader's own entries stand under this name.
            if let name = HTTPField.Name("x-request-id"), let id = response.headers[name], id != exchange.requestID {
                record.metadata["leader_request_id"] = .string(id)
            }
            return await closed(response, exchange, record, durable: route.effect == .write)
        }
        let (answer, replayed) = try await idempotency.run(call, route: route)
        record.resource = answer.auditResource
        if let action = answer.auditAction { record.action = action }
        record.metadata = answer.auditMetadata
        var response = self.response(answer, to: request)
        for field in answer.fields { response.headers[field.name] = field.value }
        if replayed {
            response.headers[.idempotencyReplayed] = "true"
            record.metadata["replayed"] = true
        }
        guard route.pattern != "/metrics", answer.isRecorded else { return finished(response, exchange) }
        return await closed(response, exchange, record, durable: route.effect == .write && !replayed)
    }

    private func body(_ request: Request, _ exchange: Exchange, atMost bytes: Int) async throws -> ByteBuffer {
        guard exchange.method != "GET", exchange.method != "HEAD" else { return ByteBuffer() }
        return try await BodyReader.read(request, atMost: bytes)
    }

    private func response(_ answer: OwnAnswer, to request: Request) -> Response {
        if let stream = answer.stream {
            let body = request.body
            return Response(
                status: .init(code: answer.status), body: .init { writer in try await stream.write(body, &writer) })
        }
        if let text = answer.text { return Answers.text(text.bytes, status: answer.status, type: text.type) }
        guard let json = answer.json else { return Response(status: .init(code: answer.status)) }
        return Answers.json(json, status: answer.status)
    }

    private func refuse(
        _ refusal: Refusal, _ exchange: Exchange, _ record: OwnRecord
    ) async -> Response {
        var record = record
        record.code = refusal.code.rawValue
        var response =
            WebSocketHandshake.answer(refusal, exchange)
            ?? ConsoleRoutes.detour(refusal, exchange, path: record.path)
            ?? Answers.refusal(refusal, requestID: exchange.requestID)
        exchange.means(status: refusal.status)
        if refusal.code == .authSessionExpired { response.headers[.setCookie] = SessionCookie.clearing }
        if refusal.code == .requestMethodNotAllowed, let methods = refusal.details?["allowed"]?.arrayValue {
            response.headers[.allow] = methods.compactMap(\.stringValue).joined(separator: ", ")
        }
        guard exchange.rawPath != "/metrics" else { return finished(response, exchange) }
        return await closed(response, exchange, record, status: refusal.status)
    }

    /// Records the answer before it goes out; what cannot be recorded is not answered.
    ///
    /// - Parameter status: what is recorded, where the answer says it in another way.
    private func closed(
        _ response: Response, _ exchange: Exchange, _ record: OwnRecord, durable: Bool = false, status: Int? = nil
    ) async -> Response {
        do {
            try await recorder.record(record, status: status ?? response.status.code, durable: durable)
            return finished(response, exchange)
        } catch {
            return finished(Answers.refusal(error, requestID: exchange.requestID), exchange)
        }
    }

    private func finished(_ response: Response, _ exchange: Exchange) -> Response {
        var response = response
        browser.apply(to: &response, exchange: exchange, path: exchange.rawPath)
        if AlertWebhook.isCalled(by: exchange), let webhook = dependencies.webhook {
            webhook.answered(status: response.status.code)
        }
        return response
    }

    /// Finds where the refusal of a caller is counted, who never came as far as a route.
    private func countRefused(_ exchange: Exchange, path: String?) {
        guard let path, case .route(_, _, let counter) = table.match(method: exchange.method, path: path) else {
            return
        }
        exchange.isCounted(by: counter)
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
