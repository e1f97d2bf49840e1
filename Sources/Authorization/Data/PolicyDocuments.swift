// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The two documents of the policy data, parsed.
package struct PolicyDocuments: Sendable, Hashable {
    /// As `data.json` has it.
    package var roles: JSONValue
    /// As `routes.yaml` has it.
    package var routes: JSONValue

    package init(roles: JSONValue, routes: JSONValue) {
        self.roles = roles
        self.routes = routes
    }

    /// Compiles both as a whole.
    ///
    /// - Throws: every problem of both at once, a default role that the data does not know included.
    package func compile(_ settings: PolicySettings) throws(PolicyDataError) -> CompiledPolicy {
        var problems: [PolicyProblem] = []
        var roleTable: RoleTable?
        var routeTable: RouteTable?
        do throws(RoleTableError) {
            roleTable = try RoleTable(document: roles)
        } catch {
            problems += error.problems.map { PolicyProblem($0) }
        }
        if let roleTable { problems += Self.unknownDefaults(roleTable, settings) }
        do throws(RouteTableError) {
            routeTable = try RouteTable(document: routes)
        } catch {
            problems += error.problems.map { PolicyProblem($0) }
        }
        guard problems.isEmpty, let roleTable, let routeTable else { throw PolicyDataError(problems) }
        do throws(PolicyError) {
            return try CompiledPolicy(roles: roleTable, routes: routeTable, settings: settings)
        } catch {
            throw PolicyDataError([PolicyProblem(.roles, error.message)])
        }
    }

    private static func unknownDefaults(_ table: RoleTable, _ settings: PolicySettings) -> [PolicyProblem] {
        [
            ("DEFAULT_USER_ROLE", settings.defaultUserRole),
            ("DEFAULT_KEYCLOAK_TENANT_ROLE", settings.defaultKeycloakTenantRole),
        ].filter { !table.isKnown($0.1) }.map { name, role in
            PolicyProblem(.roles, "\(name) names the role, which the data does not have", role: role)
        }
    }
}
