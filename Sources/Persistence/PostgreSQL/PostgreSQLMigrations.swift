// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One step of the schema. What was released is never changed.
package struct PostgreSQLMigration: Sendable, Hashable {
    /// What it is about, in words that a status shows.
    package let name: String
    /// Its statements. They run as `tollgate_admin` with the search path `tollgate, pg_temp`, so names need no schema. What is made belongs
    /// to that role; `tollgate_app` may read and write every table and call every function, and nobody else may. A table with a column
    /// `tenant_id text NOT NULL` gets its row-level security afterwards by itself. A SECURITY DEFINER function fixes its path with
    /// `SET search_path = tollgate, pg_temp`.
    package let sql: String

    package init(_ name: String, sql: String) {
        self.name = name
        self.sql = sql
    }
}

/// The steps that bring a database to the present schema; step n makes version n. New ones go to the end.
package enum PostgreSQLMigrations {
    package static let steps: [PostgreSQLMigration] = foundation + changes + stores
}
