// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Testing

@Suite struct EngineAnswerTests {
    private let policy: CompiledPolicy
    private let viewer = PolicySubject(id: "u1", roles: ["viewer"], tenant: "t1", authSource: "jwt")

    init() throws { policy = try ShippedPolicy.compiled.get() }

    private func question(
        _ subject: PolicySubject? = nil, action: String = "tasks:write", tenant: String? = "t1", host: HostPolicy? = nil
    ) throws -> PolicyQuestion {
        let query = PolicyQuery(
            action: action, resource: ResourceAttributes(id: "x", owner: "u1", tenant: tenant), host: host)
        guard case .open(let question) = policy.prepare(subject: subject ?? viewer, query: query, match: nil) else {
            throw NotOpen()
        }
        return question
    }

    private struct NotOpen: Error {}

    private func decide(_ allow: Bool, _ reasons: [String], _ question: PolicyQuestion) -> PolicyDecision {
        policy.decide(question, answer: .decision(allow: allow, reasons: reasons, effectiveRoles: ["viewer"]))
    }

    @Test(arguments: [
        ("no matching role permission", ErrorCode.policyPermissionDenied),
        ("api key scope does not permit action", .policyScopeDenied),
        ("token scope does not permit action", .policyScopeDenied),
        ("platform principal required", .policyPlatformRequired), ("cross-tenant access denied", .policyTenantDenied),
        ("not resource owner", .policyNotOwner), ("project access denied", .policyProjectDenied),
    ])
    func aReasonGivesItsCode(_ reason: String, _ code: ErrorCode) throws {
        let decision = decide(false, [reason, "project access denied"], try question())
        #expect(decision.refusal?.code == code)
        #expect(decision.reasons == [reason, "project access denied"])
        #expect(decision.refusal?.details?["permission"] == "tasks:write")
        #expect(decision.mode == .sidecar && decision.effectiveRoles == ["viewer"])
    }

    @Test func anAllowReplacesEveryCheck() throws {
        let decision = decide(true, [], try question(tenant: "t2"))
        #expect(decision.allow && decision.reasons == [] && decision.mode == .sidecar)
    }

    @Test(arguments: [
        (true, ["not resource owner"]), (false, []), (false, ["because"]), (false, ["not resource owner", "because"]),
    ])
    func anAnswerThatContradictsItselfIsNone(_ allow: Bool, _ reasons: [String]) throws {
        let decision = decide(allow, reasons, try question())
        #expect(decision.refusal?.code == .policyUnavailable)
        #expect(decision.refusal?.message == "Policy engine unavailable" && decision.refusal?.status == 503)
        #expect(decision.reasons == ["policy engine unavailable"])
        #expect(decision.mode == .sidecar)
    }

    @Test func aBooleanReplacesTheRoleCheckOnly() throws {
        #expect(policy.decide(try question(), answer: .roleCheck(true)).allow)
        let refused = policy.decide(try question(tenant: "t2"), answer: .roleCheck(false))
        #expect(refused.reasons == ["no matching role permission", "cross-tenant access denied"])
        let other = policy.decide(try question(tenant: "t2"), answer: .roleCheck(true))
        #expect(other.refusal?.code == .policyTenantDenied && other.mode == .sidecar)
    }

    @Test func unavailableFailsClosedUnlessSaidOtherwise() throws {
        let closed = policy.decide(try question(), answer: .unavailable(failsOpen: false))
        #expect(closed.refusal?.code == .policyUnavailable && closed.reasons == ["policy engine unavailable"])
        let open = policy.decide(try question(), answer: .unavailable(failsOpen: true))
        #expect(open.allow && open.reasons == ["policy engine unavailable"] && open.mode == .sidecar)
        let bound = policy.decide(try question(tenant: "t2"), answer: .unavailable(failsOpen: true))
        #expect(bound.reasons == ["cross-tenant access denied"])
    }

    /// The rules run in the process and read the roles that the process knows.
    @Test func rulesStillRun() throws {
        let rules = try RuleSet(document: [
            [
                "name": "no-viewers", "effect": "deny",
                "when": [["attribute": "principal.roles", "operator": "eq", "value": "viewer"]],
            ]
        ])
        let question = try question(host: HostPolicy(rules: rules))
        let answer = EngineAnswer.decision(allow: true, reasons: [], effectiveRoles: [])
        let decision = policy.decide(question, answer: answer)
        #expect(decision.refusal?.code == .policyRuleDenied)
        #expect(decision.reasons == ["denied by rule no-viewers"])
        #expect(policy.decide(question, answer: .roleCheck(true)).refusal?.code == .policyRuleDenied)
        #expect(policy.decide(question, answer: .unavailable(failsOpen: true)).refusal?.code == .policyRuleDenied)
    }

    @Test func aQuestionTellsWhatAnEngineNeeds() throws {
        let question = try question(
            PolicySubject(id: "u1", roles: ["a2a-user", "gone"], tenant: "t1", authSource: "keycloak"),
            host: HostPolicy(scopes: .enforce))
        #expect(question.rolesInUse == ["a2a-user"])
        #expect(question.effectiveRoles == ["a2a-user", "editor", "viewer"])
        #expect(question.scopesEnforced && !question.ownershipRequired && question.checksRoles)
        #expect(question.sharedPermissions == [])
    }

    @Test func theRoleCheckCanBeOffForWorkloads() throws {
        let off = try CompiledPolicy(
            roles: policy.roles, routes: policy.routes, settings: PolicySettings(roleCheckEnabled: false))
        func decide(_ action: String, _ surface: PolicyQuery.Surface, _ subject: PolicySubject) -> PolicyDecision {
            off.decide(subject: subject, query: PolicyQuery(action: action, surface: surface), match: nil)
        }
        #expect(decide("tasks:write", .workload, viewer).allow)
        #expect(decide("tasks:write", .workload, viewer).mode == .disabled)
        #expect(decide("admin:access", .workload, viewer).refusal?.code == .policyPermissionDenied)
        #expect(decide("admin:access", .workload, viewer).mode == .local)
        #expect(decide("tasks:write", .own, viewer).refusal?.code == .policyPermissionDenied)
        let key = PolicySubject(id: "k", roles: ["editor"], tenant: "t1", authSource: "api_key", scopes: ["tasks:read"])
        #expect(decide("tasks:write", .workload, key).refusal?.code == .policyScopeDenied)
    }
}
