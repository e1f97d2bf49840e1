// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Testing

/// Every route of the shipped map lets its least role in and the next lower one not.
@Suite struct LeastRoleTests {
    private static let ladder = ["viewer", "editor", "operator", "admin"]
    private let policy: CompiledPolicy

    init() throws { policy = try ShippedPolicy.compiled.get() }

    @Test func everyRouteHasItsLeastRole() throws {
        var counts: [String: Int] = [:]
        for rule in policy.routes.rules {
            let match = try sample(rule)
            if rule.isPublic {
                #expect(
                    policy.decide(subject: nil, query: PolicyQuery(surface: .own), match: match).allow,
                    "\(match.display)")
                counts["public", default: 0] += 1
                continue
            }
            let nobody = policy.decide(subject: nil, query: PolicyQuery(surface: .own), match: match)
            #expect(nobody.refusal?.code == .authMissingToken, "\(match.display)")
            guard let permission = rule.permission else {
                #expect(decide([], rule, match).allow, "\(match.display)")
                counts["authenticated", default: 0] += 1
                continue
            }
            let grants = Self.ladder.map { policy.allPermissions(ofRole: $0).contains(permission) }
            let least = try #require(grants.firstIndex(of: true), "\(permission)")
            for (place, role) in Self.ladder.enumerated() {
                expect(decide([role], rule, match), allows: place >= least, "\(role) at \(match.display)")
            }
            expect(decide([], rule, match), allows: false, "no role at \(match.display)")
            expect(decide(["unheard-of"], rule, match), allows: false, "an unknown role at \(match.display)")
            let agent = policy.allPermissions(ofRole: "a2a-agent").contains(permission)
            expect(decide(["a2a-agent"], rule, match), allows: agent, "a2a-agent at \(match.display)")
            counts[Self.ladder[least], default: 0] += 1
        }
        print("shipped routes by least role: \(counts.sorted { $0.key < $1.key })")
        #expect(counts.values.reduce(0, +) == policy.routes.rules.count)
    }

    /// A platform principal that owns what it asks for, so that only the role is in question.
    private func decide(_ roles: [String], _ rule: RouteRule, _ match: RouteMatch) -> PolicyDecision {
        let subject = PolicySubject(
            id: "u1", roles: roles, tenant: match.captures.tenant ?? "t1", project: match.captures.project,
            authSource: "jwt", platform: rule.platform)
        let query = PolicyQuery(resource: ResourceAttributes(owner: "u1"), surface: .own)
        return policy.decide(subject: subject, query: query, match: match)
    }

    private func expect(_ decision: PolicyDecision, allows: Bool, _ comment: Comment) {
        #expect(decision.allow == allows, comment)
        if !allows {
            #expect(decision.refusal?.code == .policyPermissionDenied, comment)
            #expect(decision.reasons == ["no matching role permission"], comment)
        }
    }

    /// A request that this rule, and no earlier one, covers.
    private func sample(_ rule: RouteRule) throws -> RouteMatch {
        let segments = rule.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { segment in
            segment == "**"
                ? "any" : segment.hasPrefix("{") ? "sample-\(segment.dropFirst().dropLast())" : String(segment)
        }
        let path = try ShippedPolicy.path("/" + segments.joined(separator: "/"))
        let methods = rule.methods.contains("*") ? ["GET", "POST", "PUT", "PATCH", "DELETE"] : rule.methods
        let matches = methods.compactMap { policy.match(method: $0, path: path) }
        return try #require(matches.first { $0.rule.index == rule.index }, "\(rule.methods) \(rule.path)")
    }
}
