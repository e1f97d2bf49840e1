// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Hummingbird
internal import NIOCore
internal import Pipeline

/// `POST /v1/decisions`, `/v1/decisions/batch` and `/v1/decisions/explain`.
final class DecisionsDoor: Sendable {
    /// Which of the three was called.
    enum Call: Sendable, CaseIterable {
        case one, batch, explain
    }

    private let dependencies: HTTPDependencies
    private let runner: DecisionRunner
    private let batchMax: Int

    init(dependencies: HTTPDependencies, runner: DecisionRunner, batchMax: Int) {
        self.dependencies = dependencies
        self.runner = runner
        self.batchMax = batchMax
    }

    /// The call of a path; nil where there is none.
    static func call(path: Substring) -> Call? {
        switch path {
        case "/v1/decisions": .one
        case "/v1/decisions/batch": .batch
        case "/v1/decisions/explain": .explain
        default: nil
        }
    }

    /// The path of a call.
    static func path(of call: Call) -> String {
        switch call {
        case .one: "/v1/decisions"
        case .batch: "/v1/decisions/batch"
        case .explain: "/v1/decisions/explain"
        }
    }

    /// Answers a call whose caller is admitted already. Decisions record themselves; what is thrown is recorded by the own API.
    func respond(to request: Request, exchange: Exchange, caller: OwnCaller, call: Call) async throws -> Response {
        let limit = call == .batch ? HTTPLimits.batchBodyBytes : HTTPLimits.decisionBodyBytes
        let body = try await BodyReader.read(request, atMost: limit)
        let object = try BodyReader.object(body)
        if call == .batch { return try await batch(object, exchange: exchange, caller: caller) }
        var call = try DecisionCall(object, requestID: exchange.requestID).dry(call == .explain)
        try prepare(&call, caller: caller)
        let bytes = try await DecisionMemory(keeper: dependencies.idempotency, caller: caller)
            .answer(call, object: object, isGone: { exchange.isGone }) { await runner.decide($0) }
        var answer = Answers.json(bytes.body, status: bytes.status)
        if bytes.replayed { answer.headers[.idempotencyReplayed] = "true" }
        answer.headers[.requestID] = exchange.requestID
        return answer
    }

    private func batch(_ object: JSONObject, exchange: Exchange, caller: OwnCaller) async throws -> Response {
        try BodyReader.checkMembers(of: object, known: ["requests"])
        guard let elements = object["requests"]?.arrayValue, (1...batchMax).contains(elements.count) else {
            var reader = FieldReader()
            reader.fault("requests", "not a list of 1 to \(batchMax) requests")
            try reader.finish()
            return Answers.refusal(Refusal(.requestInvalid), requestID: exchange.requestID)
        }
        var calls: [DecisionCall] = []
        for (index, element) in elements.enumerated() {
            calls.append(try self.element(element, index: index, exchange: exchange, caller: caller))
        }
        let memory = DecisionMemory(keeper: dependencies.idempotency, caller: caller)
        let answers = try await memory.answers(
            calls, objects: elements.compactMap(\.objectValue), isGone: { exchange.isGone }
        ) { inputs in
            await runner.decide(inputs)
        }
        if let refusal = answers.unavailable { throw refusal }
        var json = JSONWriter(reserving: 1024 * answers.bodies.count)
        json.raw(#"{"decisions":["#)
        for (index, body) in answers.bodies.enumerated() {
            if index > 0 { json.raw(",") }
            json.raw(body)
        }
        json.raw("]}")
        var answer = Answers.json(json.bytes)
        answer.headers[.requestID] = exchange.requestID
        return answer
    }

    /// One element of a batch; every fault of it is a 422 of the whole call.
    private func element(
        _ element: JSONValue, index: Int, exchange: Exchange, caller: OwnCaller
    ) throws(Refusal) -> DecisionCall {
        let path = "requests[\(index)]"
        var reader = FieldReader()
        guard let object = element.objectValue else {
            reader.fault(path, "not an object")
            try reader.finish()
            throw Refusal(.requestInvalid)
        }
        do {
            var call = try DecisionCall(object, path: path + ".", requestID: exchange.requestID)
            try prepare(&call, caller: caller)
            return call
        } catch {
            guard error.code == .requestMalformed else { throw error }
            reader.fault(path, error.message)
            try reader.finish()
            throw error
        }
    }

    /// Checks what the asking credential must hold beyond `decisions:evaluate`, and sets whose failures count.
    ///
    /// - Throws: `policy.permission_denied`, `policy.platform_required`.
    private func prepare(_ call: inout DecisionCall, caller: OwnCaller) throws(Refusal) {
        if call.input.explain || call.input.permission != nil {
            guard caller.holds("admin:access") else {
                let what = call.input.explain ? "explain" : "permission"
                throw Refusal(
                    .policyPermissionDenied, message: "Permission 'admin:access' is required for '\(what)'",
                    details: ["permission": "admin:access", "member": .string(what)])
            }
        }
        let isPlatform = caller.principal.platform || caller.admin
        if let account = call.input.usage?.account, !isPlatform, account != caller.principal.tenantID {
            throw Refusal(
                .policyPlatformRequired, message: "Only a platform principal may have another account pay",
                details: ["member": "usage.account"])
        }
        call.input.meteringKey = call.idempotencyKey.map { DecisionMemory.meteringKey($0, caller: caller) }
        call.input.countsFailuresForAddress = isPlatform
        call.input.audience = ExplainAudience(tenant: caller.principal.tenantID, isPlatform: isPlatform)
        call.input.asker = caller.principal.tokenID ?? caller.principal.subject
        if let address = call.input.clientAddress {
            call.input.clientIsTrustedProxy = dependencies.addresses.isTrusted(address)
        }
    }
}

extension DecisionCall {
    /// As a dry run with every reason, when the explain door was called.
    func dry(_ isExplainDoor: Bool) -> DecisionCall {
        guard isExplainDoor else { return self }
        var copy = self
        copy.input.explain = true
        copy.input.dryRun = true
        return copy
    }
}
