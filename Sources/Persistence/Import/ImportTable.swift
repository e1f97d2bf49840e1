// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import GRDB

/// One row on its way from SQLite to PostgreSQL: the values in the form in which the server reads them, and what its arrival changes for
/// replicas that run.
struct ImportRow: Sendable {
    let values: [String?]
    let change: StoreChange?

    init(_ values: [String?], change: StoreChange? = nil) {
        self.values = values
        self.change = change
    }
}

/// A table that is brought over.
struct ImportTable: Sendable {
    /// Columns of the target and their types.
    typealias Column = (name: String, type: String)

    let name: String
    let columns: [Column]
    /// What tells rows apart.
    let keys: Set<String>
    /// Reads the source, in any order.
    let source: String
    /// The column that the target numbers itself, which keeps the source's numbers; it goes on behind the largest of them.
    var identity: String?
    /// Nil for a row that is not to be brought over.
    let row: @Sendable (Row) throws -> ImportRow?

    /// All of them.
    static let all =
        [serviceTokens, apiKeys, apiKeyUsage, ownerRoles, projects, shares, idempotencyKeys, statuses] + billing

    /// Adds rows: one array for each column.
    var insertion: String {
        """
        INSERT INTO tollgate.\(name) (\(columns.map(\.name).joined(separator: ", ")))
        \(identity == nil ? "" : "OVERRIDING SYSTEM VALUE") SELECT \(casts) FROM \(arrays)
        """
    }

    /// Has the target go on numbering behind what was brought over; nil where it numbers nothing.
    var continuation: String? {
        identity.map { column in
            """
            SELECT setval(pg_get_serial_sequence('tollgate.\(name)', '\(column)'),
                (SELECT max(\(column)) FROM tollgate.\(name)))
            """
        }
    }

    /// Counts rows that are not in the table exactly as they were sent.
    var check: String {
        let same = columns.map { column in
            keys.contains(column.name)
                ? "t.\(column.name) = n.\(column.name)::\(column.type)"
                : "t.\(column.name) IS NOT DISTINCT FROM n.\(column.name)::\(column.type)"
        }
        return """
            SELECT count(*) FROM \(arrays)
            WHERE NOT EXISTS (SELECT 1 FROM tollgate.\(name) t WHERE \(same.joined(separator: " AND ")))
            """
    }

    private var casts: String { columns.map { "n.\($0.name)::\($0.type)" }.joined(separator: ", ") }

    private var arrays: String {
        let parameters = columns.indices.map { "$\($0 + 1)::text[]" }.joined(separator: ", ")
        return "unnest(\(parameters)) AS n (\(columns.map(\.name).joined(separator: ", ")))"
    }

    /// What is bound to both statements.
    func parameters(_ rows: [ImportRow]) -> [PostgreSQLValue] {
        columns.indices.map { column in .texts(rows.map { $0.values[column] }) }
    }

    /// What `tenant_id` is for a record that may be without one.
    ///
    /// - Throws: `StoreImportError` naming the record when its tenant cannot be one.
    static func tenant(_ name: String?, of record: String) throws -> String {
        do {
            return try TenantScope.owner(name).tenantID() ?? TenantScope.platformTenant
        } catch {
            throw StoreImportError(.unreadable, "\(record) is of a tenant that cannot be one: \(error.message)")
        }
    }

    static func flag(_ value: Bool) -> String { value ? "true" : "false" }

    static func number(_ value: Int64?) -> String? { value.map { String($0) } }
}
