// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension PostgreSQLMigrations {
    /// What a replica asks to hear of the entries of the others: series by series, because within one numbers have no gaps.
    static let liveEntries = PostgreSQLMigration(
        "live entries",
        sql: """
            CREATE FUNCTION audit_heads() RETURNS TABLE (series text, head bigint)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    -- From name to name in the primary key: nothing else of a series is looked at.
                    WITH RECURSIVE names AS (
                        (SELECT e.writer FROM audit_entries e ORDER BY e.writer LIMIT 1)
                        UNION ALL
                        SELECT (SELECT e.writer FROM audit_entries e WHERE e.writer > n.writer ORDER BY e.writer LIMIT 1)
                        FROM names n WHERE n.writer IS NOT NULL
                    )
                    SELECT n.writer, (SELECT max(e.sequence) FROM audit_entries e WHERE e.writer = n.writer)
                    FROM names n WHERE n.writer IS NOT NULL
                $$;
            CREATE FUNCTION audit_entries_of_series(wanted text, after_sequence bigint, at_most bigint)
                RETURNS TABLE (line text)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = tollgate, pg_temp
                AS $$
                    SELECT e.line FROM audit_entries e WHERE e.writer = wanted AND e.sequence > after_sequence
                    ORDER BY e.sequence LIMIT at_most
                $$;
            """)
}
