// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import Synchronization

/// A pipeline that answers what a test tells it and remembers what it was asked.
final class FakeDecider: RequestDeciding {
    private struct State {
        var inputs: [DecisionInput] = []
        var own: [OwnRequest] = []
    }

    private let state = Mutex(State())
    private let decide: @Sendable (DecisionInput) -> Decision
    private let admit: @Sendable (OwnRequest) -> OwnAdmission

    init(
        decide: @escaping @Sendable (DecisionInput) -> Decision = { FakeDecider.allowed($0) },
        admit: @escaping @Sendable (OwnRequest) -> OwnAdmission = { FakeDecider.admitted($0) }
    ) {
        self.decide = decide
        self.admit = admit
    }

    var inputs: [DecisionInput] { state.withLock { $0.inputs } }
    var own: [OwnRequest] { state.withLock { $0.own } }

    func decide(_ input: DecisionInput) async -> Decision {
        state.withLock { $0.inputs.append(input) }
        return decide(input)
    }

    func decide(_ inputs: [DecisionInput]) async -> [Decision] {
        state.withLock { $0.inputs += inputs }
        return inputs.map { decide($0) }
    }

    func admit(_ request: OwnRequest) async -> OwnAdmission {
        state.withLock { $0.own.append(request) }
        return admit(request)
    }

    /// A service token of user u1 in tenant acme.
    static let principal = Principal(
        subject: "ci", identityType: .service, authSource: .serviceToken, scoped: true, tokenID: "ci-1",
        tenantID: "acme", workspaceIDs: ["ws"], roles: ["editor", "a,b"], groups: ["dév", "ops"],
        scopes: ["tasks:read", "tasks:write"], email: "ci@example.com", emailVerified: true, username: "CI")

    static func allowed(_ input: DecisionInput) -> Decision {
        var decision = Decision(snapshotGeneration: 42, requestID: input.requestID)
        decision.principal = principal
        decision.authConfig = "platform/main"
        decision.hostRule = "*.example.com"
        decision.host = input.host
        decision.method = input.method
        decision.canonicalPath = input.target
        decision.credentialHeader = "Authorization"
        decision.policy = PolicyDecision(
            refusal: nil, reasons: [], permission: "tasks:read", matchedRoute: "GET /v1/agent/tasks",
            effectiveRoles: ["editor"], mode: .local, revision: "0123456789abcdef")
        if input.explain {
            decision.steps = [
                .init(name: "normalise", outcome: .pass, code: nil, detail: "host api.example.com", microseconds: 3)
            ]
        }
        return decision
    }

    static func refused(_ refusal: Refusal) -> @Sendable (DecisionInput) -> Decision {
        { input in
            var decision = Decision(snapshotGeneration: 42, requestID: input.requestID)
            decision.refusal = refusal
            return decision
        }
    }

    static func admitted(_ request: OwnRequest, holding: Set<String>? = nil) -> OwnAdmission {
        let path = String(request.target.prefix { $0 != "?" })
        return .allowed(
            OwnCaller(
                principal: principal, admin: holding == nil, action: "test.action", route: "\(request.method) \(path)",
                canonicalPath: path, holds: { holding?.contains($0) ?? true }))
    }
}
