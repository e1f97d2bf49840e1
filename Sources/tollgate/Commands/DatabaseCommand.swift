// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import Logging
internal import Metrics
internal import Persistence

/// `tollgate db …`
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "Look after the PostgreSQL database; needs no running server.",
        discussion: """
            The database is that of TOLLGATE_DATABASE_ADMIN_URL, else of TOLLGATE_DATABASE_URL.
            Its login is a member of tollgate_admin, or a superuser.
            """,
        subcommands: [
            DatabaseMigrateCommand.self, DatabaseStatusCommand.self, DatabaseImportCommand.self,
            RowSecurityCommand.self,
        ])
}

/// The database that `tollgate db …` works on.
struct DatabasePlace {
    let address: PostgreSQLAddress
    let isRowSecurityEnabled: Bool

    /// By the settings.
    static func resolve(in context: CommandContext) throws -> DatabasePlace {
        var reader = SettingsReader(SettingsSources(environment: context.environment))
        let settings = TollgateSettings.database(&reader)
        let isEnabled = reader.value(SettingsCatalog.rowSecurity, orAfterProblem: true)
        guard reader.problems.isEmpty else { throw SettingsError(problems: reader.problems) }
        guard let address = settings.administrator ?? settings.server?.address else {
            throw CommandFailure(.usage, "no database: set TOLLGATE_DATABASE_ADMIN_URL or TOLLGATE_DATABASE_URL")
        }
        return DatabasePlace(address: address, isRowSecurityEnabled: isEnabled)
    }

    /// Runs the body with a connection, which is closed afterwards.
    ///
    /// - Throws: `CommandFailure`.
    func withDatabase<Value>(_ body: (PostgreSQLDatabase) async throws -> Value) async throws -> Value {
        let database = PostgreSQLDatabase(
            .administration(address: address), logger: Logger(label: "tollgate.db") { _ in SwiftLogNoOpLogHandler() },
            metrics: NOOPMetricsHandler.instance)
        do {
            let value = try await body(database)
            await database.shutdown()
            return value
        } catch {
            await database.shutdown()
            guard let error = error as? PostgreSQLError else { throw error }
            throw CommandFailure(Self.exit(for: error.code), "\(error)")
        }
    }

    private static func exit(for code: PostgreSQLError.Code) -> ExitStatus {
        switch code {
        case .unavailable, .timeout, .overloaded, .closed, .outcomeUnknown: .unavailable
        case .insufficientPrivilege, .refusedRole: .forbidden
        case .foreignDatabase, .schemaTooNew, .missingTenants: .conflict
        default: .otherFault
        }
    }
}

/// `tollgate db migrate`
struct DatabaseMigrateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Make the schema steps that are missing, with roles, rights and row-level security.",
        discussion: "All or nothing, and under a lock: it may run beside servers and beside itself.")

    func run(in context: CommandContext) async throws {
        let place = try DatabasePlace.resolve(in: context)
        let report = try await place.withDatabase {
            try await PostgreSQLMigrator($0).migrate(installsRowSecurity: place.isRowSecurityEnabled)
        }
        for (index, name) in report.made.enumerated() {
            context.output.line("made step \(report.before + index + 1): \(name)")
        }
        context.output.line("schema version \(report.version)" + (report.made.isEmpty ? ", nothing to do" : ""))
    }
}

/// `tollgate db status`
struct DatabaseStatusCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which schema steps the database has and which it lacks.",
        discussion: "Exit status 1 when one is missing.")

    @Option(help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    func run(in context: CommandContext) async throws {
        let place = try DatabasePlace.resolve(in: context)
        let status = try await place.withDatabase { try await PostgreSQLMigrator($0).status() }
        let steps = status.made.map { ($0, "made") } + status.missing.map { ($0, "missing") }
        let format = output ?? (context.outputIsTerminal ? .table : .json)
        if format == .table {
            var table = TextTable(["VERSION", "STEP", "STATE"])
            for (index, step) in steps.enumerated() { table.add(["\(index + 1)", step.0, step.1]) }
            context.output.line(table.text)
        } else {
            let rows = steps.enumerated().map { index, step -> JSONValue in
                ["version": .int(Int64(index + 1)), "step": .string(step.0), "state": .string(step.1)]
            }
            context.output.line(
                format.text(of: ["version": .int(Int64(status.made.count)), "steps": .array(rows)]))
        }
        guard !status.isCurrent else { return }
        throw CommandFailure(
            .otherFault, "\(status.missing.count) steps are missing: run 'tollgate db migrate'", format: format)
    }
}
