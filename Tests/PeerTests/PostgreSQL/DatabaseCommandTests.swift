// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// `tollgate db …` as a person runs it.
@Suite(.timeLimit(.minutes(10))) struct DatabaseCommandTests {
    private static func run(
        _ arguments: [String], _ environment: [String: String]
    ) async throws -> (status: Int32, output: String) {
        try await PeerProcess.run(
            name: "tollgate", executable: try PeerPaths.tollgate(), arguments: ["db"] + arguments,
            environment: environment, folder: try TemporaryDirectory(), within: .seconds(300))
    }

    @Test func migratesAndShowsWhereItStands() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let environment = ["TOLLGATE_DATABASE_ADMIN_URL": database.adminURL]
        let before = try await Self.run(["status", "--output", "table"], environment)
        #expect(before.status == 1)
        #expect(before.output.contains(/tenant of the transaction +missing/), "\(before.output)")
        let made = try await Self.run(["migrate"], environment)
        #expect(made.status == 0, "\(made.output)")
        #expect(made.output.contains("made step 1: tenant of the transaction"))
        let again = try await Self.run(["migrate"], ["TOLLGATE_DATABASE_URL": database.adminURL])
        #expect(again.status == 0)
        #expect(again.output.contains("nothing to do"))
        let after = try await Self.run(["status"], environment)
        #expect(after.status == 0)
        #expect(after.output.contains("\"state\":\"made\""))
        #expect(!after.output.contains("missing"))
    }

    @Test func appliesAndShowsRowSecurity() async throws {
        let database = try await DatabaseSupport.migrated()
        let environment = ["TOLLGATE_DATABASE_ADMIN_URL": database.adminURL]
        try await database.run(
            "CREATE TABLE public.workers (tenant_id text); ALTER TABLE public.workers OWNER TO gate_admin")
        let open = try await Self.run(["rls", "status", "--output", "table"], environment)
        #expect(open.status == 1)
        #expect(open.output.contains("public.workers"), "\(open.output)")
        #expect(open.output.contains("run 'tollgate db rls apply'"))
        let applied = try await Self.run(["rls", "apply"], environment)
        #expect(applied.status == 0, "\(applied.output)")
        #expect(applied.output.contains("public.workers: applied"))
        let closed = try await Self.run(["rls", "status"], environment)
        #expect(closed.status == 0, "\(closed.output)")
        #expect(closed.output.contains("\"rls_forced\":true"))
    }

    @Test func refusesInWords() async throws {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        let none = try await Self.run(["status"], [:])
        #expect(none.status == 2)
        #expect(none.output.contains("set TOLLGATE_DATABASE_ADMIN_URL"))
        let bad = try await Self.run(["status"], ["TOLLGATE_DATABASE_URL": "postgresql://u:pa/ss@host:x/d"])
        #expect(bad.status == 2)
        #expect(bad.output.contains("TOLLGATE_DATABASE_URL: a text of 29 bytes"), "\(bad.output)")
        #expect(!bad.output.contains("pa/ss"))
        let notYet = try await Self.run(["rls", "apply"], ["TOLLGATE_DATABASE_URL": database.adminURL])
        #expect(notYet.status == 1)
        #expect(notYet.output.contains("tollgate db migrate"), "\(notYet.output)")
        let off = try await Self.run(
            ["rls", "apply"], ["TOLLGATE_DATABASE_URL": database.adminURL, "RLS_ENABLED": "false"])
        #expect(off.status == 2)
        let away = try await Self.run(["status"], ["TOLLGATE_DATABASE_URL": "postgresql://u:topsecret@127.0.0.1:1/d"])
        #expect(away.status == 8)
        #expect(!away.output.contains("topsecret"))
    }
}
