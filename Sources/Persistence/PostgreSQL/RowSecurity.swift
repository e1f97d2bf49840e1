// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Row-level security of a database: what keeps tenants apart where a statement forgets to.
package struct RowSecurity: Sendable {
    /// What `apply` did with a table.
    package struct Outcome: Sendable, Hashable {
        package let table: String
        /// Whether anything had to be done.
        package let isChanged: Bool
    }

    let database: PostgreSQLDatabase

    /// Over a connection for maintenance, or for `check` the server's own.
    package init(_ database: PostgreSQLDatabase) { self.database = database }

    /// Every covered table with what is wrong with it.
    package func status() async throws -> [RowSecurityTable] {
        try await database.transaction(.none, isReadOnly: true) { try RowSecurityCatalogue.tables($0) }
    }

    /// Enables, forces and installs the policies of every covered table, all or none of them.
    ///
    /// - Throws: `PostgreSQLError` with `missingTenants` and the count of rows without a tenant, `unprotectedTable` for what cannot be mended
    ///   from here, or `insufficientPrivilege`.
    package func apply() async throws -> [Outcome] {
        try await database.transaction(.none) { transaction throws(PostgreSQLError) in
            _ = try transaction.run([PostgreSQLMigrator.lock])
            guard
                try transaction.query("SELECT to_regprocedure('tollgate.get_current_tenant_id()')")[0].optionalText(0)
                    != nil
            else {
                throw PostgreSQLError(
                    .schemaTooOld, "The database has no tables of Tollgate yet: run 'tollgate db migrate' first")
            }
            return try Self.install(try RowSecurityCatalogue.tables(transaction), transaction)
        }
    }

    /// Installs the product's own tables, as a part of a migration.
    static func installOwn(_ transaction: PostgreSQLTransaction) throws(PostgreSQLError) {
        let own = try RowSecurityCatalogue.tables(transaction).filter { $0.schema == PostgreSQLSettings.schema }
        _ = try install(own, transaction)
    }

    private static func install(
        _ tables: [RowSecurityTable], _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) -> [Outcome] {
        try refuseWhatCannotBeMended(tables)
        // A count that policies would narrow must fail and not lie.
        try transaction.execute("SET LOCAL row_security = off")
        try refuseMissingTenants(tables, transaction)
        var outcomes: [Outcome] = []
        for table in tables {
            let isChanged = !table.problems.isEmpty
            if isChanged { try install(table, transaction) }
            outcomes.append(Outcome(table: table.title, isChanged: isChanged))
        }
        return outcomes
    }

    /// What only its owner can decide: the type of a column, a foreign key, the policies of somebody else.
    private static func refuseWhatCannotBeMended(_ tables: [RowSecurityTable]) throws(PostgreSQLError) {
        var problems: [String] = []
        for table in tables {
            if table.name.utf8.count > 39 {
                problems.append("\(table.title): no room for its policies' names in 63 bytes")
            }
            if case .unknown(let parent) = table.reach {
                problems.append(
                    "\(table.title): no foreign key to \(parent) with a tenant_id tells the tenant of a row")
            }
            if case .column(let type, _) = table.reach, !RowSecurityTable.isText(type) {
                problems.append("\(table.title): tenant_id is \(type): make it text")
            }
            problems += table.looseningPolicies
                // Earlier makers of the same isolation are replaced.
                .filter { !$0.name.hasPrefix("tenant_isolation_") }
                .map {
                    "\(table.title): policy \($0.name) may open rows to other tenants: drop it, or make it RESTRICTIVE"
                }
        }
        guard problems.isEmpty else {
            throw PostgreSQLError(.unprotectedTable, "Nothing was changed: " + problems.joined(separator: "; "))
        }
    }

    private static func refuseMissingTenants(
        _ tables: [RowSecurityTable], _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) {
        var problems: [String] = []
        for table in tables {
            guard case .column(_, isNotNull: false) = table.reach else { continue }
            try become(ownerOf: table, transaction)
            let count = try transaction.query("SELECT count(*) FROM \(table.quoted) WHERE tenant_id IS NULL")[0]
                .integer(0)
            if count > 0 { problems.append("\(table.title) has \(count) rows without tenant_id") }
        }
        guard problems.isEmpty else {
            throw PostgreSQLError(
                .missingTenants,
                "Nothing was changed: " + problems.joined(separator: "; ") + ": give each row its tenant first")
        }
    }

    private static func install(
        _ table: RowSecurityTable, _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) {
        try become(ownerOf: table, transaction)
        var script: [String] = []
        if case .column(_, isNotNull: false) = table.reach {
            script.append("ALTER TABLE \(table.quoted) ALTER COLUMN tenant_id SET NOT NULL")
        }
        script.append("ALTER TABLE \(table.quoted) ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        let wanted = table.wantedPolicies
        for policy in table.policies
        where policy.name.hasPrefix("tenant_isolation_") || wanted.contains(where: { $0.name == policy.name }) {
            script.append("DROP POLICY \(RowSecurityTable.quote(policy.name)) ON \(table.quoted)")
        }
        script += wanted.map { $0.statement(on: table) }
        do {
            try transaction.runScript(script.joined(separator: ";\n"))
        } catch  where error.code == .insufficientPrivilege {
            throw PostgreSQLError(
                .insufficientPrivilege,
                "\(table.title) belongs to another role: run it as that role or as a superuser; nothing was changed",
                sqlState: error.sqlState, cause: error)
        }
    }

    /// The product's tables belong to `tollgate_admin`; the platform's to whom the login is, or may become.
    private static func become(
        ownerOf table: RowSecurityTable, _ transaction: PostgreSQLTransaction
    ) throws(PostgreSQLError) {
        try transaction.execute(
            table.schema == PostgreSQLSettings.schema ? "SET LOCAL ROLE tollgate_admin" : "SET LOCAL ROLE NONE")
    }
}
