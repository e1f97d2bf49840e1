// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The mappings of one place. Every one that is for a caller counts; of several tenants the first.
package struct IdentityMappings: Sendable, Hashable {
    /// What the mappings give to one caller; lists are sorted by bytes.
    package struct Grant: Sendable, Hashable {
        package var roles: [String] = []
        package var scopes: [String] = []
        package var workspaces: [String] = []
        package var tenant: String?
    }

    package let mappings: [IdentityMapping]

    package init(_ mappings: [IdentityMapping]) { self.mappings = mappings }

    /// What a caller of this subject and these groups gets. Without a subject only mappings by group count.
    package func grant(subject: String?, groups: [String]) -> Grant {
        var grant = Grant()
        for mapping in mappings where mapping.applies(subject: subject, groups: groups) {
            grant.roles += mapping.roles
            grant.scopes += mapping.scopes
            grant.workspaces += mapping.workspaces
            grant.tenant = grant.tenant ?? mapping.tenant
        }
        grant.roles = ASCII.sortedByBytes(Set(grant.roles))
        grant.scopes = ASCII.sortedByBytes(Set(grant.scopes))
        grant.workspaces = ASCII.sortedByBytes(Set(grant.workspaces))
        return grant
    }

    /// Everything that a grant depends on, as bytes without ambiguity.
    var canonicalBytes: [UInt8] {
        let rows = mappings.map { mapping -> JSONValue in
            let match: JSONValue =
                switch mapping.match {
                case .subject(let text): ["subject", .string(text)]
                case .group(let text): ["group", .string(text)]
                }
            return [
                match, .strings(mapping.roles), .strings(mapping.scopes), .strings(mapping.workspaces),
                .optional(mapping.tenant),
            ]
        }
        return JSONValue.array(rows).encoded()
    }
}
