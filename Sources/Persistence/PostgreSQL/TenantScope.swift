// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where a statement stands among tenants.
package enum TenantScope: Sendable, Hashable {
    /// In none: it sees and writes no tenant's rows, only tables without tenants and what narrow functions give out.
    case none
    /// Among the rows of the installation itself.
    case platform
    /// Among the rows of one tenant.
    case tenant(String)

    /// The tenant of the rows of the installation itself. No tenant can be named like this.
    package static let platformTenant = "_platform"
    /// The longest name of a tenant, in bytes.
    package static let maximumBytes = 256

    /// Whose row a record is that may be without a tenant.
    package static func owner(_ tenant: String?) -> TenantScope { tenant.map { .tenant($0) } ?? .platform }

    /// What `tenant_id` holds in this scope; nil in none.
    ///
    /// - Throws: `PostgreSQLError` with `missingTenant` or `reservedTenant`, before the database is asked anything.
    package func tenantID() throws(PostgreSQLError) -> String? {
        switch self {
        case .none: return nil
        case .platform: return Self.platformTenant
        case .tenant(let name):
            guard !name.isEmpty, name.utf8.count <= Self.maximumBytes, !name.utf8.contains(0) else {
                throw PostgreSQLError(
                    .missingTenant,
                    "A tenant of \(name.utf8.count) bytes: 1 to \(Self.maximumBytes) without NUL are one")
            }
            guard name != Self.platformTenant else {
                throw PostgreSQLError(.reservedTenant, "'\(Self.platformTenant)' is no tenant's name")
            }
            return name
        }
    }
}
