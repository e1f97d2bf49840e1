// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Who asks for a change of stored credentials, and what it may grant.
package struct TokenCaller: Sendable {
    package let principal: Principal
    /// Admin token, unrestricted bootstrap token or platform admin: the grant rule does not bind it.
    package let admin: Bool
    /// The roles in force, as the policy sees them.
    package let roles: [String]
    /// Whether it may use a permission itself; `r:*` only if it holds `r:*`.
    package let holds: @Sendable (_ scope: String) -> Bool

    /// - Parameter roles: nil = those of the principal.
    package init(
        principal: Principal, admin: Bool, roles: [String]? = nil, holds: @escaping @Sendable (_ scope: String) -> Bool
    ) {
        self.principal = principal
        self.admin = admin
        self.roles = roles ?? principal.roles
        self.holds = holds
    }

    /// Whether it may see a token at all: its own tenant's, or every one for those who belong to no tenant but to the platform.
    func sees(_ record: ServiceTokenRecord) -> Bool {
        admin || (principal.platform && principal.tenantID == nil) || record.tenantID == principal.tenantID
    }

    /// The account in whose name it asks. One account belongs to one tenant, whose id it has.
    var account: String? { principal.tenantID ?? principal.accountID }

    /// Whether it may see a key at all: those of its own account.
    package func sees(_ record: APIKeyRecord) -> Bool {
        if admin { return true }
        guard let account, record.accountID.isExactly(account) else { return false }
        guard let tenant = record.tenantID else { return principal.tenantID == nil }
        return principal.tenantID?.isExactly(tenant) ?? false
    }

    /// Nobody grants more than he holds.
    ///
    /// - Parameter further: what else goes beyond the caller.
    /// - Throws: `token.grant_exceeds_caller` with the excess.
    func check(_ grant: ServiceTokenGrant, further: JSONObject = JSONObject()) throws(Refusal) {
        guard !admin else { return }
        var excess = further
        func note(_ name: String, _ texts: [String]) {
            if !texts.isEmpty { excess[name] = .strings(texts) }
        }
        note("scopes", grant.scopes.filter { !holds($0) })
        note("roles", grant.roles.filter { !roles.contains($0) })
        if !principal.workspaceIDs.contains("*") {
            note("workspace_ids", grant.workspaceIDs.filter { !principal.workspaceIDs.contains($0) })
        }
        if grant.tenantID != principal.tenantID { excess["tenant_id"] = .optional(grant.tenantID) }
        if grant.platform { excess["platform"] = true }
        guard excess.isEmpty else { throw Refusal(.tokenGrantExceedsCaller, details: excess) }
    }
}
