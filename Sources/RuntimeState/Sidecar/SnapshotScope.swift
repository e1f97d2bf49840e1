// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Authorization
internal import Billing

/// How much a caller of `GET /v1/snapshot` may know.
package enum SnapshotScope: Sendable, Hashable {
    /// Principals of the platform that have no tenant: everything that can be used at the hosts of the AuthConfigs.
    case installation
    /// Everybody else: what belongs to their own tenant. What belongs to none is the platform's.
    case tenant(String)

    func covers(_ config: CompiledAuthConfig) -> Bool {
        switch self {
        case .installation: true
        case .tenant(let tenant): Self.areSame(config.tenant, tenant)
        }
    }

    /// Whether a service token may be known.
    package func covers(_ record: ServiceTokenRecord) -> Bool {
        switch self {
        case .installation: true
        case .tenant(let tenant): !record.platform && Self.areSame(record.tenantID, tenant)
        }
    }

    /// Whether an API key may be known.
    package func covers(_ record: APIKeyRecord) -> Bool {
        switch self {
        case .installation: true
        case .tenant(let tenant): Self.areSame(record.tenantID, tenant)
        }
    }

    /// An account of a tenant has the tenant's id; accounts of nobody's tenant are known to their keys alone.
    func accounts(_ table: AccountTable, of keys: [APIKeyRecord]) -> AccountTable {
        guard case .tenant(let tenant) = self else { return table }
        let names = Set(keys.map(\.accountID)).union([tenant])
        return AccountTable(
            states: table.all.filter { names.contains($0.key) }, fallback: table.fallback, offers: table.offers)
    }

    func shares(_ table: ShareTable) -> ShareTable {
        guard case .tenant(let tenant) = self else { return table }
        return ShareTable(table.all.filter { Self.areSame($0.key.tenant, tenant) })
    }

    /// Equality of bytes, which Swift's own equality of texts is not.
    private static func areSame(_ left: String?, _ right: String) -> Bool {
        left?.utf8.elementsEqual(right.utf8) ?? false
    }
}
