// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import Foundation
internal import Persistence

/// `tollgate db import`
struct DatabaseImportCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring what an embedded database holds into an empty PostgreSQL database.",
        discussion: """
            All or nothing, each row read back and compared. The server that used the file must have ended; the file is
            only read. Audit segments and event streams stay the files that they are.
            """)

    @Option(help: ArgumentHelp("The data directory, or the SQLite file in it.", valueName: "DIR|FILE"))
    var from: String

    @Option(help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    func run(in context: CommandContext) async throws {
        let place = try DatabasePlace.resolve(in: context)
        let format = output ?? (context.outputIsTerminal ? .table : .json)
        let path = TollgateSettings.absolute(from, environment: context.environment, host: context.host)
        let file = try Self.file(path, format)
        let lock = try Self.lock(file, format)
        let report: StoreImport.Report
        do {
            report = try await place.withDatabase { database in
                try await PostgreSQLMigrator(database).check()
                return try await StoreImport(database).run(from: file)
            }
        } catch let error as StoreImportError {
            throw CommandFailure(Self.exit(for: error.code), "nothing was imported: \(error)", format: format)
        }
        show(report, format, context)
        // The directory is nobody else's until here.
        _ = lock.path
    }

    private func show(_ report: StoreImport.Report, _ format: OutputFormat, _ context: CommandContext) {
        guard format == .table else {
            let tables = report.tables.map { table -> JSONValue in
                ["table": .string(table.name), "rows": .int(Int64(table.rows))]
            }
            return context.output.line(
                format.text(of: ["tables": .array(tables), "total": .int(Int64(report.total))]))
        }
        var table = TextTable(["TABLE", "ROWS"])
        for entry in report.tables { table.add([entry.name, "\(entry.rows)"]) }
        table.add(["total", "\(report.total)"])
        context.output.line(table.text)
    }

    private static func file(_ path: String, _ format: OutputFormat) throws(CommandFailure) -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CommandFailure(.notFound, "--from: there is no \(path)", format: format)
        }
        return isDirectory.boolValue ? "\(path)/tollgate.sqlite" : path
    }

    /// - Throws: `conflict` while a server uses the directory, because what it would write later would be missing.
    private static func lock(_ file: String, _ format: OutputFormat) throws(CommandFailure) -> DataDirectoryLock {
        do {
            return try DataDirectoryLock(path: URL(filePath: file).deletingLastPathComponent().path)
        } catch {
            throw CommandFailure(.conflict, "--from: end the server that uses \(file) first (\(error))", format: format)
        }
    }

    private static func exit(for code: StoreImportError.Code) -> ExitStatus {
        switch code {
        case .missing: .notFound
        case .foreign, .otherVersion, .notEmpty: .conflict
        case .unreadable, .differs: .otherFault
        }
    }
}
