// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// Connections of a real server: what they do, and what becomes of them.
@Suite(.timeLimit(.minutes(10))) struct PoolTests {
    @Test func bindsEveryKindOfValue() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await DatabaseSupport.withPool(database.url) { pool in
            let text = #"it's "quoted" \ {,} 🐘"#
            let rows = try await pool.query(
                .none,
                """
                SELECT $1::text, $2::bigint, $3::boolean, $4::bytea, $5::text[] = ARRAY['a"', NULL, '\\', ''],
                    $6::bigint[] = ARRAY[1, NULL, -2]::bigint[], $7::boolean[] = ARRAY[true, false], $8::text
                """,
                [
                    .text(text), 42, true, .bytes([0, 1, 0xff]), .texts(["a\"", nil, "\\", ""]),
                    .integers([1, nil, -2]), .booleans([true, false]), nil,
                ])
            #expect(try rows[0].text(0) == text)
            #expect(try rows[0].integer(1) == 42)
            #expect(try rows[0].boolean(2))
            #expect(try rows[0].bytes(3) == [0, 1, 0xff])
            #expect(try rows[0].boolean(4))
            #expect(try rows[0].boolean(5))
            #expect(try rows[0].boolean(6))
            #expect(try rows[0].optionalText(7) == nil)
        }
    }

    @Test func migratesAnEmptyDatabase() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let report = try await DatabaseSupport.migrate(database)
        #expect(report.before == 0)
        #expect(report.version == PostgreSQLMigrations.steps.count)
        try await DatabaseSupport.withPool(database.url) { pool in
            try await PostgreSQLMigrator(pool).check()
            let rows = try await pool.query(
                .tenant("acme"), "SELECT current_user, session_user, get_current_tenant_id()")
            #expect(try rows[0].text(0) == "tollgate_app")
            #expect(try rows[0].text(1) == "gate")
            #expect(try rows[0].text(2) == "acme")
            try await pool.transaction(.none) { try $0.announce(kind: "service_token", key: "abc") }
            #expect(try await pool.query(.none, "SELECT kind, key FROM changes").count == 1)
        }
    }
}
