// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Makes a principal out of the claims of a token whose signature held.
package enum ClaimsMapper {
    /// Subjects that belong to Tollgate itself; a token that claims one gets another name.
    package static let reservedSubjects: Set<String> = ["admin", "bootstrap", "anonymous", "system"]

    /// The principal of the claims as the entry and the mappings by group see them.
    ///
    /// - Throws: `auth.invalid_token` when there is no subject, or a set is too large; `auth.tenant_mismatch` when the token names another
    ///   tenant than the entry's.
    package static func principal(
        claims: JSONObject, entry: IssuerEntry, mappings: IdentityMappings = IdentityMappings([])
    ) throws(Refusal) -> Principal {
        let reader = ClaimReader(claims)
        guard let subject = subject(of: claims) else { throw Refusal(.authInvalidToken) }
        let sets: Sets
        do {
            sets = try Sets(reader, entry: entry)
        } catch {
            throw Refusal(.authInvalidToken)
        }
        let claimedTenant = reader.nestedText("tenant_id", "tenant")
        if let pinned = entry.tenant, let claimedTenant, !claimedTenant.isExactly(pinned) {
            throw Refusal(.authTenantMismatch)
        }
        let grant = mappings.mappings.isEmpty ? .init() : mappings.grant(subject: nil, groups: sets.groups)
        let tenant = entry.tenant ?? claimedTenant ?? grant.tenant
        let email = reader.text("email").flatMap(mailAddress)
        return Principal(
            subject: subject, identityType: identityType(claims), authSource: entry.authSource,
            platform: entry.platform, scoped: sets.isScoped,
            tokenID: reader.textOrNumber("jti", "token_id") ?? subject,
            accountID: reader.nestedText("account_id") ?? tenant ?? subject, tenantID: tenant,
            projectID: reader.nestedText("project_id", "project"),
            workspaceIDs: merged(sets.workspaces, grant.workspaces).filter { entry.platform || $0 != "*" },
            roles: merged(sets.roles, grant.roles), groups: sets.groups, scopes: merged(sets.scopes, grant.scopes),
            email: email, emailVerified: claims["email_verified"] == .bool(true),
            username: reader.text("preferred_username", "upn") ?? email, name: reader.text("name"),
            clientID: reader.text("azp", "client_id"), sessionID: reader.text("sid"),
            issuer: claims["iss"]?.stringValue, audience: audience(claims["aud"]),
            issuedAt: claims["iat"].flatMap(Timestamp.init(claim:)),
            expiresAt: claims["exp"].flatMap(Timestamp.init(claim:)), claims: claims)
    }

    /// The subject that the claims name, nil without any.
    static func subject(of claims: JSONObject) -> String? {
        guard let subject = ClaimReader(claims).textOrNumber("sub", "jti", "token_id") else { return nil }
        return reservedSubjects.contains(subject) ? "jwt:\(subject)" : subject
    }

    /// The texts of `aud`: one text or a list.
    static func audience(_ value: JSONValue?) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let elements): elements.compactMap(\.stringValue)
        default: []
        }
    }

    private struct Sets {
        let scopes: [String]
        let isScoped: Bool
        let workspaces: [String]
        let roles: [String]
        let groups: [String]

        init(_ reader: ClaimReader, entry: IssuerEntry) throws(TextRuleFault) {
            let scopeValues = reader.nestedValues("scope", "scopes", "scp")
            scopes = try TextRules.stringSet(union: scopeValues)
            isScoped = !scopeValues.isEmpty
            let workspaces = try TextRules.stringSet(
                union: reader.nestedValues("workspace_ids", "workspaces", "workspace", "workspace_id"))
            self.workspaces = ASCII.sortedByBytes(Set(workspaces.map { $0.lowercased() }))
            var roleValues = reader.nestedValues("role", "roles")
            if let value = reader.claims["realm_access"]?["roles"] { roleValues.append(value) }
            for client in reader.claims["resource_access"]?.objectValue?.members ?? [] {
                let counts = entry.roleClients.contains { $0 == "*" || $0.isExactly(client.name) }
                if counts, let value = client.value["roles"] { roleValues.append(value) }
            }
            roles = try TextRules.nameSet(union: roleValues)
            groups = try TextRules.nameSet(union: reader.nestedValues("groups"))
        }
    }

    private static func merged(_ left: [String], _ right: [String]) -> [String] {
        right.isEmpty ? left : ASCII.sortedByBytes(Set(left + right))
    }

    private static func identityType(_ claims: JSONObject) -> Principal.IdentityType {
        for name in ["token_use", "type", "typ"] {
            switch claims[name]?.stringValue.map(ASCII.lowercased) {
            case "user": return .user
            case "service", "client": return .service
            default: continue
            }
        }
        return .user
    }

    /// The address in lower case, or nil when it is not one.
    private static func mailAddress(_ text: String) -> String? {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }),
            !text.unicodeScalars.contains(where: {
                $0.properties.isWhitespace || $0.properties.generalCategory == .control
            })
        else { return nil }
        return text.lowercased()
    }
}
