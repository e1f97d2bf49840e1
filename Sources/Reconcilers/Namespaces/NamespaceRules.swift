// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Which namespace may say what: platform rights only in platform namespaces, elsewhere only the namespace's own tenant.
package struct NamespaceRules: Sendable, Hashable {
    private let platform: Set<String>
    private let tenants: [String: String]

    /// - Parameters:
    ///   - platform: the namespaces whose objects may give platform rights.
    ///   - tenants: the tenant of each other namespace.
    package init(platform: Set<String>, tenants: [String: String]) {
        self.platform = platform
        self.tenants = tenants
    }

    /// The same rules where the labels of namespaces name tenants as well: a label goes before the settings.
    package func with(labels: [String: String]) -> NamespaceRules {
        NamespaceRules(platform: platform, tenants: tenants.merging(labels) { _, label in label })
    }

    /// Whether objects of the namespace may give platform rights.
    package func isPlatform(_ namespace: String) -> Bool { platform.contains(namespace) }

    /// The tenant for an object that names `stated` or none.
    ///
    /// - Returns: in a platform namespace what the object states (nil = none); elsewhere the namespace's tenant.
    /// - Throws: `Violation` when the namespace has no tenant, or another than the stated one.
    package func tenant(stated: String?, namespace: String) throws(Violation) -> String? {
        if isPlatform(namespace) { return stated }
        guard let own = tenants[namespace] else {
            throw Violation(
                "namespace \(namespace) has no tenant: give it label tollgate.dev/tenant, or name it in TOLLGATE_NAMESPACE_TENANTS or TOLLGATE_PLATFORM_NAMESPACES"
            )
        }
        guard stated == nil || stated == own else {
            throw Violation(
                "namespace \(namespace) belongs to tenant \(own): name that one, or none where none is required")
        }
        return own
    }

    /// The tenant that the tools of a namespace belong to; nil = they are there for the whole installation.
    package func toolTenant(_ namespace: String) -> String? { tenants[namespace] }

    /// Checks roles and scopes that an object gives away.
    ///
    /// - Throws: `Violation` for role `admin` and `admin:` scopes outside platform namespaces.
    package func checkGrant(roles: [String], scopes: [String], namespace: String) throws(Violation) {
        guard !isPlatform(namespace) else { return }
        if roles.contains(where: { $0 == "admin" || $0 == "a2a-admin" }) {
            throw Violation("role admin may be given only by objects of platform namespaces")
        }
        if let scope = scopes.first(where: { $0.hasPrefix("admin:") }) {
            throw Violation("scope \(scope) may be given only by objects of platform namespaces")
        }
    }

    /// Checks `platform: true`.
    ///
    /// - Throws: `Violation` outside platform namespaces.
    package func checkPlatform(_ platform: Bool, namespace: String) throws(Violation) {
        guard platform, !isPlatform(namespace) else { return }
        throw Violation("platform: true may be said only by objects of platform namespaces")
    }

    /// An object says what its namespace may not.
    package struct Violation: Error, Sendable, Hashable {
        /// For the condition.
        package let message: String

        init(_ message: String) { self.message = message }
    }
}
