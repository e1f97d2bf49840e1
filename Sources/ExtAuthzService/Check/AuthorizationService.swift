// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import GRPCCore
internal import Pipeline

/// `envoy.service.auth.v3.Authorization`: reads what the proxy describes, asks the pipeline, answers in Envoy's terms.
struct AuthorizationService: Envoy_Service_Auth_V3_Authorization.ServiceProtocol {
    typealias Request = Envoy_Service_Auth_V3_CheckRequest
    typealias Response = Envoy_Service_Auth_V3_CheckResponse

    let runner: DecisionRunner
    let records: DoorRecords
    let answers: CheckAnswers
    let addresses: ClientAddressResolver
    /// Connections whose client certificate was verified.
    let verifiedPeers: VerifiedPeers
    let clock: any WallClock

    func check(request: ServerRequest<Request>, context: ServerContext) async throws -> ServerResponse<Response> {
        let deadline = request.metadata[stringValues: "grpc-timeout"].first { _ in true }
        return ServerResponse(
            message: try await answer(
                request.message, peer: context.remotePeer, patience: deadline.flatMap(CallDeadline.parse),
                isGone: { context.cancellation.isCancelled }))
    }

    /// Answers one call.
    ///
    /// - Parameters:
    ///   - peer: the transport's name for the other end.
    ///   - patience: how long the caller waits.
    ///   - isGone: whether the caller has given the call up.
    /// - Throws: PERMISSION_DENIED for a caller that is no trusted proxy, DEADLINE_EXCEEDED where the caller did not wait long enough, UNAVAILABLE
    ///   for what cannot be decided; the message begins with the code.
    func answer(
        _ request: Request, peer: String, patience: Duration?, isGone: () -> Bool = { false }
    ) async throws(RPCError) -> Response {
        let watch = Stopwatch()
        let name = PeerName(peer)
        let address = name?.address ?? IPAddress(ipv4: 0)
        guard let name, addresses.isTrusted(address) || verifiedPeers.contains(name) else {
            throw untrusted(request, address: address)
        }
        let question = CheckQuestion(request, peer: address, addresses: addresses, now: clock.now())
        let input: DecisionInput
        do {
            input = try question.input(patience: patience)
        } catch {
            let refusal = records.refused(error, question.record)
            return try refused(refusal, limits: nil, requestID: question.requestID)
        }
        let decision = await runner.decide(input)
        if decision.tookSomething, isGone() { await decision.giveBack() }
        guard let refusal = decision.refusal else {
            let (response, tooLong) = CheckAnswer.allowed(decision)
            records.leftOut(tooLong)
            answers.count(status: 200)
            return response
        }
        if refusal.code == .decisionTimeout, let patience, watch.nanoseconds >= patience.wholeMicroseconds * 1000 {
            answers.count(status: 504)
            throw RPCError(code: .deadlineExceeded, message: refusal.code.rawValue)
        }
        return try refused(refusal, limits: decision.limits, requestID: question.requestID)
    }

    private func refused(
        _ refusal: Refusal, limits: RateLimitReport?, requestID: String
    ) throws(RPCError) -> Response {
        answers.count(status: refusal.status)
        guard case .denied(let code, _) = CheckVerdict(status: refusal.status) else {
            throw RPCError(code: .unavailable, message: refusal.code.rawValue)
        }
        return CheckAnswer.denied(refusal, statusCode: code, limits: limits, requestID: requestID)
    }

    /// Nothing of what such a caller says is believed: not even how it names its request.
    private func untrusted(_ request: Request, address: IPAddress) -> RPCError {
        let http = request.attributes.request.http
        let path = http.path.prefix { $0 != "?" }
        let refusal = records.refused(
            Refusal(.decisionUntrustedProxy),
            .init(
                door: .grpc, method: http.method, path: String(path), client: address,
                requestID: UUIDv7.make(at: clock.now())))
        answers.count(status: refusal.status)
        guard refusal.code == .decisionUntrustedProxy else {
            return RPCError(code: .unavailable, message: refusal.code.rawValue)
        }
        return RPCError(code: .permissionDenied, message: "\(refusal.code.rawValue): \(refusal.message)")
    }
}
