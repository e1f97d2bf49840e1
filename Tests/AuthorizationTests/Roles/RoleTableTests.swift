// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Testing

@Suite struct RoleTableTests {
    @Test func eachRoleHoldsTheOneBelow() throws {
        let policy = try ShippedPolicy.compiled.get()
        let sets = ["admin", "operator", "editor", "viewer"].map { Set(policy.allPermissions(ofRole: $0)) }
        for (higher, lower) in zip(sets, sets.dropFirst()) { #expect(higher.isStrictSuperset(of: lower)) }
        #expect(sets[0] == Set(policy.roles.permissions))
    }

    @Test(arguments: [
        ("admin", 67), ("operator", 40), ("editor", 30), ("viewer", 16), ("a2a-agent", 16), ("a2a-admin", 67),
        ("a2a-user", 30), ("developer", 30), ("user", 16),
    ])
    func theMatrixIsThatOfTheData(_ role: String, _ count: Int) throws {
        let policy = try ShippedPolicy.compiled.get()
        let granted = Set(policy.allPermissions(ofRole: role))
        #expect(granted.count == count)
        let subject = PolicySubject(id: "u", roles: [role], tenant: "t", authSource: "jwt")
        for permission in policy.roles.permissions {
            let decision = policy.decide(subject: subject, query: PolicyQuery(action: permission), match: nil)
            #expect(decision.allow == granted.contains(permission), "\(role) \(permission)")
            #expect(policy.holds(subject: subject, permission: permission) == granted.contains(permission))
        }
    }

    @Test func listsEveryProblem() {
        let error = #expect(throws: RoleTableError.self) {
            try RoleTable(document: [
                "roles": [
                    "X": ["permissions": ["a:b"]], "none": ["description": "d"], "bad": ["permissions": ["*", "a:b"]],
                    "odd": ["permissions": ["a:b"], "more": 1], "lost": ["inherits": "gone"],
                    "leads": ["inherits": "self"], "self": ["inherits": "self"],
                ],
                "surplus": true,
            ])
        }
        let found = error?.problems.map { "\($0.role):\($0.problem.rawValue)" }
        #expect(
            found == [
                ":unknown_member", "X:bad_name", "bad:bad_permission", "leads:cycle", "lost:unknown_parent",
                "none:empty",
                "odd:unknown_member", "self:cycle",
            ])
    }

    @Test(arguments: [
        ("tasks:*", "tasks:read", true), ("tasks:*", "codebases:read", false), ("admin:*", "admin:tokens:read", false),
        ("admin:tokens:*", "admin:tokens:read", true), ("*", "tasks:read", false), ("*:*", "tasks:read", false),
        ("*:read", "tasks:read", false), ("tasks:re*", "tasks:read", false), ("tasks:read", "tasks:read", true),
    ])
    func oneMatcher(_ grant: String, _ action: String, _ covers: Bool) {
        #expect(PermissionName.matches(grant: grant, action: action) == covers)
    }

    @Test(arguments: [
        ("a:b", true), ("a_1:b-2", true), ("a:b:c", true), ("_a:b", true), ("a:b:c:d", false), ("a", false),
        ("a:", false),
        (":a", false), ("a-b:c", false), ("a:_b", false), ("A:b", false), ("a:*", false), ("1a:b", false),
        ("a:1", false),
        ("a:-b", false),
    ])
    func readsPermissions(_ text: String, _ isGood: Bool) {
        #expect(PermissionName.isValid(text) == isGood)
        #expect(PermissionName.isValid("a:*", allowingWildcard: true))
        #expect(!PermissionName.isValid("*:a", allowingWildcard: true))
        #expect(!PermissionName.isValid("a:*:b", allowingWildcard: true))
    }
}
