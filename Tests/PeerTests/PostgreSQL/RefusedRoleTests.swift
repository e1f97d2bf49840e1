// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Persistence
internal import TestSupport
internal import Testing

/// Logins with which a server does not start.
@Suite(.timeLimit(.minutes(10))) struct RefusedRoleTests {
    /// What is done to the login `LOGIN_NAME`, and what the refusal says.
    @Test(arguments: [
        ("ALTER ROLE LOGIN_NAME SUPERUSER", "is a superuser"),
        ("ALTER ROLE LOGIN_NAME BYPASSRLS", "has BYPASSRLS"),
        ("GRANT tollgate_admin TO LOGIN_NAME", "may become tollgate_admin, which no policy binds"),
        ("GRANT a2a_admin TO LOGIN_NAME", "may become a2a_admin, tollgate_admin, which no policy binds"),
        ("ALTER TABLE tollgate.notes OWNER TO LOGIN_NAME", "owns tollgate.notes"),
    ])
    func refusesAMightyLogin(change: String, complaint: String) async throws {
        let database = try await DatabaseSupport.withNotes()
        let role = DatabaseSupport.uniqueName("mighty")
        try await database.run("CREATE ROLE \(role) LOGIN PASSWORD '\(PostgreSQLServer.password)' IN ROLE tollgate_app")
        let url = database.server.url(user: role, database: database.name)
        try await DatabaseSupport.withPool(url) { try await RowSecurity($0).check(isEnabled: true) }
        try await database.run(
            change.split(separator: " ").map { $0 == "LOGIN_NAME" ? role : String($0) }.joined(separator: " "))
        try await DatabaseSupport.withPool(url) { pool in
            let error = try await #require(throws: PostgreSQLError.self) {
                try await RowSecurity(pool).check(isEnabled: true)
            }
            #expect(error.code == .refusedRole)
            #expect(error.message.contains(complaint), "\(error)")
            #expect(error.message.contains(role))
        }
    }

    @Test func refusesALoginWithoutTheRole() async throws {
        let database = try await DatabaseSupport.withNotes()
        let role = DatabaseSupport.uniqueName("stranger")
        try await database.run("CREATE ROLE \(role) LOGIN PASSWORD '\(PostgreSQLServer.password)'")
        try await DatabaseSupport.withPool(database.server.url(user: role, database: database.name)) { pool in
            let error = try await #require(throws: PostgreSQLError.self) { try await PostgreSQLMigrator(pool).check() }
            #expect(error.code == .refusedRole)
            #expect(error.message.contains("GRANT tollgate_app"))
        }
    }
}
