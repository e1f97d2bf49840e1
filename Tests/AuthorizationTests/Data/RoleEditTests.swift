// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// Edits of roles, judged as a whole.
@Suite struct RoleEditTests {
    /// A small set in which `admin` has what `operator` has.
    private static let roles: JSONValue = [
        "roles": [
            "admin": ["inherits": "operator", "permissions": ["admin:manage_policies"]],
            "operator": ["inherits": "viewer", "permissions": ["queue:write"]],
            "viewer": ["description": "Reads", "permissions": ["tasks:read"]],
            "spare": ["description": "Nobody's", "permissions": ["tasks:*"]],
            "guest": ["permissions": ["tools:read"]],
        ],
        "public_endpoints": ["health"], "api_key_default_scopes": ["tasks:read"],
    ]

    private static func policy(_ document: JSONValue = roles) throws -> CompiledPolicy {
        try PolicyDocuments(roles: document, routes: ["version": 1, "rules": []])
            .compile(PolicySettings(defaultUserRole: "viewer", defaultKeycloakTenantRole: "guest"))
    }

    private static func put(_ name: String, _ inherits: String? = nil, _ permissions: [String] = []) -> RoleEdit {
        .put(name, RoleDefinition(description: "d", inherits: inherits, permissions: permissions))
    }

    private static func refusal(_ edit: RoleEdit, on document: JSONValue = roles) throws -> Refusal? {
        let policy = try policy(document)
        do throws(Refusal) {
            _ = try edit.plan(on: policy)
            return nil
        } catch {
            return error
        }
    }

    @Test func putAddsAndReplacesAndKeepsTheRest() throws {
        let policy = try Self.policy()
        let added = try Self.put("night", "viewer", ["tasks:write", "tasks:read", "tasks:write"]).plan(on: policy)
        #expect(added.isChange && added.before == nil)
        #expect(added.after?.permissions == ["tasks:read", "tasks:write"])
        #expect(added.document["roles"]?["night"]?["inherits"] == "viewer")
        #expect(added.document["roles"]?["viewer"] == Self.roles["roles"]?["viewer"])
        #expect(added.document["public_endpoints"] == ["health"])
        #expect(added.document["api_key_default_scopes"] == ["tasks:read"])
        let replaced = try Self.put("spare", "viewer").plan(on: policy)
        #expect(replaced.before?.permissions == ["tasks:*"])
        #expect(replaced.document["roles"]?["spare"] == ["description": "d", "inherits": "viewer"])
    }

    @Test func theSameAgainIsNoChange() throws {
        let edit = Self.put("night", nil, ["b:c", "a:b"])
        let first = try edit.plan(on: Self.policy())
        let second = try edit.plan(on: Self.policy(first.document))
        #expect(!second.isChange)
        #expect(second.before == second.after && second.after == first.after)
        #expect(second.document == first.document)
    }

    @Test func deleteTakesOnlyThatRole() throws {
        let change = try RoleEdit.delete("spare").plan(on: Self.policy())
        #expect(change.isChange && change.after == nil)
        #expect(change.before?.description == "Nobody's")
        #expect(change.document["roles"]?.objectValue?.names.sorted() == ["admin", "guest", "operator", "viewer"])
    }

    @Test(arguments: [
        (RoleEdit.delete("nobody"), ErrorCode.policyRoleNotFound, "Role not found"),
        (.delete("operator"), .policyRoleInUse, "Other roles inherit from operator: admin"),
        (.delete("viewer"), .policyRoleInUse, "Other roles inherit from viewer: operator"),
        (
            .delete("guest"), .policyRoleInUse,
            "The default role guest is in use by DEFAULT_KEYCLOAK_TENANT_ROLE"
        ),
        (.delete("admin"), .policyLockout, "After this change no role would grant admin:manage_policies"),
        (
            put("admin", nil, ["tasks:read"]), .policyLockout,
            "After this change no role would grant admin:manage_policies"
        ),
        (
            put("admin", nil, ["admin:manage_policies"]), .policyLockout,
            "After this change role admin would not have what operator has: queue:write, tasks:read"
        ),
        (
            put("admin", "viewer", ["admin:*", "queue:read"]), .policyLockout,
            "After this change role admin would not have what operator has: queue:write"
        ),
        (put("a", nil, ["x:y"]), .policyRolesInvalid, "The role data is invalid: a: bad_name"),
        (put("Upper", nil, ["x:y"]), .policyRolesInvalid, "The role data is invalid: Upper: bad_name"),
        (put("ab"), .policyRolesInvalid, "The role data is invalid: ab: empty"),
        (put("ab", "none"), .policyRolesInvalid, "The role data is invalid: ab: unknown_parent"),
        (put("ab", "ab"), .policyRolesInvalid, "The role data is invalid: ab: cycle"),
        (
            put("viewer", "admin"), .policyRolesInvalid,
            "The role data is invalid: admin: cycle, operator: cycle, viewer: cycle"
        ),
        (put("ab", nil, ["*"]), .policyRolesInvalid, "The role data is invalid: ab: bad_permission"),
        (
            put("ab", nil, (0...512).map { "p:a\($0)" }), .policyRolesInvalid, "The role data is invalid: ab: too_many"
        ),
        (
            .put("ab", RoleDefinition(description: String(repeating: "x", count: 1 << 20), permissions: ["x:y"])),
            .policyRolesInvalid, "The role data is invalid: ab: too_large"
        ),
    ])
    func refuses(edit: RoleEdit, code: ErrorCode, message: String) throws {
        let refusal = try #require(try Self.refusal(edit))
        #expect(refusal.code == code)
        #expect(refusal.message == message)
    }

    @Test func everyProblemOfTheWholeSetIsListed() throws {
        let refusal = try #require(try Self.refusal(Self.put("viewer", "admin")))
        let problems = ["admin", "operator", "viewer"].map { role -> JSONValue in
            ["role": .string(role), "problem": "cycle"]
        }
        #expect(refusal.details?["problems"] == .array(problems))
        #expect(refusal.status == 422)
    }

    @Test func refusalsNameWhatIsInTheWay() throws {
        #expect(try Self.refusal(.delete("viewer"))?.details == ["role": "viewer", "roles": ["operator"]])
        #expect(
            try Self.refusal(.delete("guest"))?.details
                == ["role": "guest", "settings": ["DEFAULT_KEYCLOAK_TENANT_ROLE"]])
        #expect(
            try Self.refusal(Self.put("admin", nil, ["admin:manage_policies"]))?.details
                == ["role": "admin", "permissions": ["queue:write", "tasks:read"]])
    }

    @Test func whatAdminLackedBeforeIsNobodysDoing() throws {
        let loose: JSONValue = [
            "roles": [
                "admin": ["permissions": ["admin:manage_policies", "queue:*"]],
                "operator": ["permissions": ["queue:write", "tasks:read"]],
                "viewer": ["permissions": ["tasks:read"]], "guest": ["permissions": ["tools:read"]],
            ]
        ]
        #expect(try Self.refusal(Self.put("night", "viewer"), on: loose) == nil)
        #expect(try Self.refusal(Self.put("operator", nil, ["queue:write"]), on: loose) == nil)
        // queue:* covers queue:read, and tools:read is missing now.
        let refusal = try Self.refusal(Self.put("operator", nil, ["queue:read", "tools:read"]), on: loose)
        #expect(refusal?.code == .policyLockout)
        #expect(refusal?.details?["permissions"] == ["tools:read"])
    }

    @Test func anyEditOfTheShippedRolesGivesDataThatLoadsOrARefusal() throws {
        let random = SeededRandom(seed: 11)
        let names = ["admin", "operator", "editor", "viewer", "user", "night", "Bad", "x", "a2a-admin"]
        let grants = ["tasks:read", "tasks:*", "*", "admin:manage_policies", "a:b:c", "", "A:b", "queue:write"]
        var policy = try ShippedPolicy.compiled.get()
        for _ in 0..<FuzzCases.count(300) {
            let name = names[random.below(names.count)]
            let edit: RoleEdit =
                random.below(3) == 0
                ? .delete(name)
                : .put(
                    name,
                    RoleDefinition(
                        description: "d", inherits: random.below(2) == 0 ? names[random.below(names.count)] : nil,
                        permissions: (0..<random.below(4)).map { _ in grants[random.below(grants.count)] }))
            let change: RoleChange
            do throws(Refusal) {
                change = try edit.plan(on: policy)
            } catch {
                #expect(error.code.rawValue.hasPrefix("policy."), "\(edit)")
                continue
            }
            let documents = PolicyDocuments(roles: change.document, routes: policy.routes.document)
            policy = try documents.compile(policy.settings)
            #expect(
                policy.roles.roles.contains {
                    policy.roles.permissions(ofRole: $0.name).contains("admin:manage_policies")
                })
        }
    }
}
