// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Pipeline

/// The forward-auth doors: reads what the proxy describes, asks the pipeline, answers in the proxy's dialect.
final class ForwardAuthDoor: Sendable {
    private let runner: DecisionRunner
    private let records: DoorRecords

    init(runner: DecisionRunner, records: DoorRecords) {
        self.runner = runner
        self.records = records
    }

    /// The door of a path; nil where there is none.
    static func door(path: Substring) -> Door? {
        switch path {
        case "/v1/forward-auth": .plain
        case "/v1/forward-auth/nginx": .nginx
        case "/v1/forward-auth/traefik": .traefik
        case "/v1/forward-auth/caddy": .caddy
        case "/oauth2/auth": .oauth2
        default: path.utf8.starts(with: OriginReader.envoyPrefix.utf8) ? .envoy : nil
        }
    }

    /// The pattern of a door's path, for metrics; nil for the doors that are elsewhere.
    static func pattern(of door: Door) -> String? {
        switch door {
        case .plain: "/v1/forward-auth"
        case .nginx: "/v1/forward-auth/nginx"
        case .traefik: "/v1/forward-auth/traefik"
        case .caddy: "/v1/forward-auth/caddy"
        case .oauth2: "/oauth2/auth"
        case .envoy: OriginReader.envoyPrefix + "/{path}"
        case .json, .grpc: nil
        }
    }

    func respond(to request: Request, exchange: Exchange, door: Door) async -> Response {
        guard exchange.peerIsTrusted else {
            return refuse(Refusal(.decisionUntrustedProxy), door: door, exchange: exchange, isDecision: false)
        }
        guard door != .oauth2 || exchange.method == "GET" || exchange.method == "HEAD" else {
            return refuse(Refusal(.requestMethodNotAllowed), door: door, exchange: exchange, isDecision: false)
        }
        guard BodyReader.fits(request, HTTPLimits.bodyBytes) else {
            return refuse(Refusal(.requestTooLarge), door: door, exchange: exchange, isDecision: true)
        }
        let input: DecisionInput
        do {
            input = try self.input(exchange, door: door)
        } catch {
            return refuse(error, door: door, exchange: exchange, isDecision: error.code != .requestNotFound)
        }
        let decision = await runner.decide(input)
        if let refusal = decision.refusal {
            return answer(refusal, door: door, limits: decision.limits, requestID: exchange.requestID)
        }
        if decision.tookSomething, exchange.isGone { await decision.giveBack() }
        let answer = ForwardAuthAnswer.allowed(
            door: door, principal: decision.principal, credentialHeader: decision.credentialHeader,
            forwardsCredential: decision.forwardsCredential, limits: decision.limits,
            entitlement: decision.entitlement, requestID: exchange.requestID)
        records.leftOut(answer.tooLong)
        return Response(status: .init(code: answer.status), headers: answer.fields)
    }

    /// Describes the original request to the pipeline.
    private func input(_ exchange: Exchange, door: Door) throws(Refusal) -> DecisionInput {
        let origin = try OriginReader.read(
            door: door, method: exchange.method, target: exchange.target, authority: exchange.authority,
            headers: exchange.headers)
        var input = DecisionInput(door: door, requestID: exchange.requestID)
        input.method = origin.method
        input.host = origin.host
        input.target = origin.target
        input.scheme = origin.scheme ?? "https"
        input.headers = exchange.headers
        input.clientAddress = exchange.client
        input.clientIsTrustedProxy = exchange.clientIsTrusted
        input.clientCertificate = exchange.clientCertificate
        input.resource = origin.resource
        return input
    }

    /// A refusal of the door itself, which the pipeline never saw: counted and recorded here.
    private func refuse(_ refusal: Refusal, door: Door, exchange: Exchange, isDecision: Bool) -> Response {
        let recorded = records.refused(
            refusal,
            .init(
                door: door, method: exchange.method, path: exchange.rawPath, client: exchange.client,
                requestID: exchange.requestID))
        guard recorded.code == refusal.code else { return answer(recorded, door: door, requestID: exchange.requestID) }
        guard isDecision else { return Answers.refusal(refusal, requestID: exchange.requestID).uncached() }
        return answer(refusal, door: door, requestID: exchange.requestID)
    }

    private func answer(
        _ refusal: Refusal, door: Door, limits: RateLimitReport? = nil, requestID: String
    ) -> Response {
        let answer = ForwardAuthAnswer.refused(
            door: door, outcome: .init(refusal), limits: limits, requestID: requestID)
        var fields = answer.fields
        if refusal.code == .requestTooLarge { fields[.connection] = "close" }
        return Answers.json(
            refusal.envelope(requestID: requestID).encoded(), status: answer.status, fields: fields)
    }
}

extension Response {
    /// The same answer, not to be kept by anybody.
    func uncached() -> Response {
        var copy = self
        copy.headers[.cacheControl] = "no-store"
        return copy
    }
}
