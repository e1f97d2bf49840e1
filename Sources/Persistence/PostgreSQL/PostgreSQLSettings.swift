// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How a database is used.
package struct PostgreSQLSettings: Sendable {
    /// The schema that holds the product's tables, so that they never meet those of another program in the same database.
    package static let schema = "tollgate"
    /// The role that the server works as.
    package static let serverRole = "tollgate_app"
    /// The role that owns the tables, for migrations and maintenance.
    package static let adminRole = "tollgate_admin"
    /// The other name of that role.
    package static let adminRoleAlias = "a2a_admin"

    package var address: PostgreSQLAddress
    /// The role that a connection takes on where its login is a member; nil = it stays what it is.
    package var role: String? = Self.serverRole
    /// Connections, each with a thread of its own.
    package var poolSize = 8
    /// How many callers may wait for a connection; more are refused at once.
    package var maximumWaiting = 4096
    /// How long one may wait.
    package var waitTimeout = Duration.seconds(5)
    /// How long a connection may take to be made, for each host of the address; whole seconds, at least two.
    package var connectTimeout = Duration.seconds(5)
    /// How long a statement may take.
    package var statementTimeout = Duration.seconds(5)
    /// How much longer the answer may take before the connection is given up.
    package var networkGrace = Duration.seconds(2)
    /// Whether the database keeps tenants apart by its own policies. false: no context is set; every statement still has its own predicate.
    package var isRowSecurityEnabled = true
    /// What the connections are called in `pg_stat_activity`.
    package var applicationName = "tollgate"

    package init(address: PostgreSQLAddress) { self.address = address }

    /// The same database for migrations and maintenance: one connection, no role taken on, and time for long statements.
    package static func administration(address: PostgreSQLAddress) -> PostgreSQLSettings {
        var settings = PostgreSQLSettings(address: address)
        settings.role = nil
        settings.poolSize = 1
        settings.statementTimeout = .seconds(600)
        settings.waitTimeout = .seconds(600)
        settings.applicationName = "tollgate administration"
        return settings
    }
}
