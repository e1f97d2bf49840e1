// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import GRPCCore
internal import Logging
internal import MetricsTestKit
internal import Pipeline
internal import Synchronization
internal import TestSupport

@testable import ExtAuthzService

/// The authorization service over a pipeline that answers what a test tells it.
struct Door: Sendable {
    /// The transport's name of the one trusted proxy.
    static let proxy = "ipv4:10.0.0.5:40000"

    let decider: FakeDecider
    let audit = FakeAuditRecorder()
    let metrics = TestMetrics()
    let verifiedPeers = VerifiedPeers()
    let clock = ManualClock()
    var trusted = ["10.0.0.0/8"]

    init(_ decide: @escaping @Sendable (DecisionInput) -> Decision = { Door.allowed($0) }) {
        decider = FakeDecider(decide)
    }

    var dependencies: GRPCDependencies {
        GRPCDependencies(
            runner: DecisionRunner(decider: decider, timeout: .seconds(10), maximum: 100),
            records: DoorRecords(audit: audit, metricsFactory: metrics),
            answers: CheckAnswers(metricsFactory: metrics),
            addresses: ClientAddressResolver(trusted: trusted.compactMap { CIDR($0) }), serving: FakeServing(),
            clock: clock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    var service: AuthorizationService {
        AuthorizationService(
            runner: dependencies.runner, records: dependencies.records, answers: dependencies.answers,
            addresses: dependencies.addresses, verifiedPeers: verifiedPeers, clock: clock)
    }

    /// Asks once.
    func answer(
        _ request: Envoy_Service_Auth_V3_CheckRequest, peer: String = Door.proxy, patience: Duration? = nil
    ) async throws(RPCError) -> Envoy_Service_Auth_V3_CheckResponse {
        try await service.answer(request, peer: peer, patience: patience)
    }

    static func allowed(_ input: DecisionInput) -> Decision {
        var decision = Decision(snapshotGeneration: 42, requestID: input.requestID)
        decision.principal = Principal(
            subject: "ci", identityType: .service, authSource: .serviceToken, scoped: true, tokenID: "ci-1",
            accountID: "acme-account", tenantID: "acme", roles: ["editor", "a,b"],
            scopes: ["tasks:read", "tasks:write"])
        decision.authConfig = "platform/main"
        decision.credentialHeader = "authorization"
        decision.policy = PolicyDecision(
            refusal: nil, reasons: [], permission: "tasks:read", matchedRoute: "GET /v1/agent/tasks",
            effectiveRoles: ["editor"], mode: .local, revision: "0123456789abcdef")
        return decision
    }

    static func refusing(_ refusal: Refusal) -> @Sendable (DecisionInput) -> Decision {
        { input in
            var decision = Decision(snapshotGeneration: 42, requestID: input.requestID)
            decision.refusal = refusal
            return decision
        }
    }
}

/// A pipeline that remembers what it was asked.
final class FakeDecider: RequestDeciding {
    private let asked = Mutex<[DecisionInput]>([])
    private let decide: @Sendable (DecisionInput) -> Decision

    init(_ decide: @escaping @Sendable (DecisionInput) -> Decision) { self.decide = decide }

    var inputs: [DecisionInput] { asked.withLock { $0 } }

    func decide(_ input: DecisionInput) async -> Decision {
        asked.withLock { $0.append(input) }
        return decide(input)
    }

    func decide(_ inputs: [DecisionInput]) async -> [Decision] {
        var decisions: [Decision] = []
        for input in inputs { decisions.append(decide(input)) }
        return decisions
    }

    func admit(_ request: OwnRequest) async -> OwnAdmission {
        .refused(
            Refusal(.decisionInternal), principal: .anonymous, action: "test", route: nil, canonicalPath: nil)
    }
}

/// A readiness that a test sets.
final class FakeServing: ServingStateReporting {
    private let state: Mutex<Bool>

    init(_ isServing: Bool = true) { state = Mutex(isServing) }

    var isServing: Bool { state.withLock { $0 } }

    func become(_ isServing: Bool) { state.withLock { $0 = isServing } }
}

extension Envoy_Service_Auth_V3_CheckRequest {
    /// A question as Envoy puts it.
    static func about(
        _ method: String = "GET", _ path: String = "/v1/agent/tasks?x=1", host: String = "api.example.com",
        headers: [String: String] = [:], source: String = "203.0.113.7",
        change: (inout Envoy_Service_Auth_V3_AttributeContext) -> Void = { _ in }
    ) -> Self {
        var request = Self()
        request.attributes.request.http.method = method
        request.attributes.request.http.path = path
        request.attributes.request.http.host = host
        request.attributes.request.http.scheme = "http"
        request.attributes.request.http.headers = headers.merging([":path": path, ":authority": host]) { $1 }
        request.attributes.source.address.socketAddress.address = source
        request.attributes.source.address.socketAddress.portValue = 50_000
        change(&request.attributes)
        return request
    }
}
