// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import Persistence
internal import Synchronization
internal import TestSupport

/// Databases as the product opens them, in tests.
enum DatabaseSupport {
    /// Runs `body` with a pool over the address, then shuts it down.
    static func withPool<Value>(
        _ url: String, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        change: (inout PostgreSQLSettings) -> Void = { _ in },
        _ body: (PostgreSQLDatabase) async throws -> Value
    ) async throws -> Value {
        var settings = PostgreSQLSettings(address: try PostgreSQLAddress(url))
        // A busy machine is no reason to fail: what waits is told so by the test.
        settings.statementTimeout = .seconds(60)
        settings.waitTimeout = .seconds(60)
        settings.connectTimeout = .seconds(60)
        settings.poolSize = 3
        change(&settings)
        return try await running(settings, metrics, body)
    }

    /// Runs `body` with a connection for maintenance, then shuts it down.
    static func withAdministration<Value>(
        _ url: String, _ body: (PostgreSQLDatabase) async throws -> Value
    ) async throws -> Value {
        var settings = PostgreSQLSettings.administration(address: try PostgreSQLAddress(url))
        settings.connectTimeout = .seconds(60)
        return try await running(settings, NOOPMetricsHandler.instance, body)
    }

    /// Brings a database to the present schema.
    @discardableResult
    static func migrate(
        _ database: TestDatabase, installsRowSecurity: Bool = true
    ) async throws -> PostgreSQLMigrator.Report {
        try await withAdministration(database.adminURL) {
            try await PostgreSQLMigrator($0).migrate(installsRowSecurity: installsRowSecurity)
        }
    }

    /// A new database in the shared server, with the present schema.
    static func migrated() async throws -> TestDatabase {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await migrate(database)
        return database
    }

    /// A new database in the shared server with a table `notes` of tenants beside the product's own.
    static func withNotes() async throws -> TestDatabase {
        let database = try await PostgreSQLServer.shared().makeDatabase()
        try await withAdministration(database.adminURL) {
            _ = try await PostgreSQLMigrator($0, steps: PostgreSQLMigrations.steps + [notes])
                .migrate(installsRowSecurity: true)
        }
        return database
    }

    /// A step with a table of tenants.
    static let notes = PostgreSQLMigration(
        "notes",
        sql: "CREATE TABLE notes (id text PRIMARY KEY, tenant_id text NOT NULL, body text NOT NULL DEFAULT '')")

    /// A name that no other test has.
    static func uniqueName(_ prefix: String) -> String { prefix + "_" + Hex.encode(SystemRandomSource().bytes(6)) }

    private static func running<Value>(
        _ settings: PostgreSQLSettings, _ metrics: any MetricsFactory,
        _ body: (PostgreSQLDatabase) async throws -> Value
    ) async throws -> Value {
        let database = PostgreSQLDatabase(
            settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: metrics)
        do {
            let value = try await body(database)
            await database.shutdown()
            return value
        } catch {
            await database.shutdown()
            throw error
        }
    }
}

/// A value that a test and what it started share.
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock(\.self) }

    /// Changes it, and gives what it is then.
    @discardableResult
    func change(_ body: (inout Value) -> Void) -> Value {
        state.withLock { value in
            body(&value)
            return value
        }
    }
}
