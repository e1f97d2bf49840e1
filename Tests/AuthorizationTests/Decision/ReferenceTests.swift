// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// Random questions over random role data get the answer of a naive reading of the policy.
@Suite struct ReferenceTests {
    private let random = SeededRandom(seed: 2026)
    private static let segments = ["read", "write", "delete", "execute", "manage", "*"]
    private static let resources = ["tasks", "agent", "admin", "admin:tokens", "tasks:part"]
    private static let names = ["admin", "ro", "rw", "ops", "worker", "lead"]

    private func pick<Value>(_ list: [Value]) -> Value { list[random.below(list.count)] }
    private func maybe<Value>(_ list: [Value]) -> Value? { random.below(3) == 0 ? nil : pick(list) }

    private func permission(wildcards: Bool) -> String {
        "\(pick(Self.resources)):\(Self.segments[random.below(wildcards ? 6 : 5)])"
    }

    /// Chains without cycles: a role inherits only from one that stands later.
    private func roleData() -> JSONObject {
        var roles = JSONObject()
        for (index, name) in Self.names.enumerated() {
            var role: JSONObject = [:]
            let later = Array(Self.names.dropFirst(index + 1))
            if !later.isEmpty, random.below(2) == 0 { role["inherits"] = .string(pick(later)) }
            let permissions = Set((0...random.below(5)).map { _ in permission(wildcards: true) })
            role["permissions"] = .strings(permissions.sorted())
            roles[name] = .object(role)
        }
        return roles
    }

    private func subject() -> PolicySubject {
        let source = pick(["keycloak", "jwt", "api_key", "self-service", "service_token", "bootstrap", "mtls"])
        let held = Self.names + ["gone", "offline_access", "default-roles-x"]
        let scopes = (0..<random.below(4)).map { _ in pick([permission(wildcards: true), "*", "tasks:re*", "*:read"]) }
        return PolicySubject(
            id: pick(["u1", "u2"]), roles: Array(Set((0..<random.below(4)).map { _ in pick(held) })).sorted(),
            tenant: maybe(["t1", "t2"]), project: maybe(["p1", "p2"]), authSource: source,
            platform: random.below(4) == 0, scopes: scopes, scoped: random.below(2) == 0)
    }

    private func shares() -> [(key: ShareTable.Key, share: AcceptedShare)] {
        (0..<random.below(4)).map { _ in
            let key = ShareTable.Key(
                tenant: pick(["", "t1"]), type: pick(["tasks", "agent"]), id: pick(["r1", "r2"]),
                project: pick(["p1", "p2"]))
            let share = AcceptedShare(
                ownerProject: pick(["p1", "p2"]), permissions: SharePermissions(rawValue: UInt8(1 + random.below(7))),
                expiresAt: maybe([Timestamp(seconds: 99), Timestamp(seconds: 100), Timestamp(seconds: 101)]))
            return (key, share)
        }
    }

    @Test func agreesWithTheReference() throws {
        var refused = 0
        var compared = 0
        for _ in 0..<60 {
            let roles = roleData()
            let checksRoles = random.below(4) > 0
            let reference = ReferenceEvaluator(roles: roles, defaultRole: "rw", checksRoles: checksRoles)
            let policy = try CompiledPolicy(
                roles: RoleTable(document: ["roles": .object(roles)]), routes: RouteTable(document: []),
                settings: PolicySettings(defaultUserRole: "rw", roleCheckEnabled: checksRoles))
            for _ in 0..<100 {
                let shares = shares()
                let query = PolicyQuery(
                    action: permission(wildcards: false),
                    resource: ResourceAttributes(
                        type: maybe(["tasks", "agent"]), id: maybe(["r1", "r2"]), owner: maybe(["u1", "u2"]),
                        tenant: maybe(["t1", "t2"]), project: maybe(["p1", "p2"])),
                    surface: pick([.workload, .own]), host: HostPolicy(scopes: pick([.ignore, .enforce])),
                    shares: ShareTable(Dictionary(grouping: shares, by: \.key).mapValues { $0.map(\.share) }),
                    now: Timestamp(seconds: 100))
                let subject = subject()
                let decision = policy.decide(subject: subject, query: query, match: nil)
                let expected = reference.answer(subject, query, shares: shares)
                let found = ReferenceEvaluator.Answer(
                    reasons: decision.reasons, effectiveRoles: decision.effectiveRoles)
                #expect(found == expected, "\(subject) \(query.action ?? "") \(query.resource) \(shares)")
                #expect(decision.allow == expected.reasons.isEmpty)
                compared += 1
                refused += decision.allow ? 0 : 1
            }
        }
        #expect(compared == 6000)
        #expect(refused > 1000 && refused < 5900, "\(refused)")
    }
}
