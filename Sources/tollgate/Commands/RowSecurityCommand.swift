// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import Persistence

/// `tollgate db rls …`
struct RowSecurityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rls", abstract: "Row-level security: how the database keeps tenants apart.",
        subcommands: [RowSecurityApplyCommand.self, RowSecurityStatusCommand.self])
}

/// `tollgate db rls apply`
struct RowSecurityApplyCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Enable, force and install the policies of every table with tenant_id, and of the platform's tables.",
        discussion: "All or nothing. A table that still has rows without a tenant is refused, with their count.")

    func run(in context: CommandContext) async throws {
        let place = try DatabasePlace.resolve(in: context)
        guard place.isRowSecurityEnabled else {
            throw CommandFailure(.usage, "RLS_ENABLED is false: a server with it would not start on what this makes")
        }
        let outcomes = try await place.withDatabase { try await RowSecurity($0).apply() }
        for outcome in outcomes {
            context.output.line("\(outcome.table): \(outcome.isChanged ? "applied" : "already in force")")
        }
        context.output.line("\(outcomes.count) tables keep their tenants apart")
    }
}

/// `tollgate db rls status`
struct RowSecurityStatusCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how every covered table keeps tenants apart.",
        discussion: "Exit status 1 when one does not.")

    @Option(help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    func run(in context: CommandContext) async throws {
        let place = try DatabasePlace.resolve(in: context)
        let tables = try await place.withDatabase { try await RowSecurity($0).status() }
        let format = output ?? (context.outputIsTerminal ? .table : .json)
        if format == .table {
            var shown = TextTable(["TABLE", "ENABLED", "FORCED", "PROBLEMS"])
            for table in tables {
                shown.add([
                    table.title, table.isEnabled ? "yes" : "no", table.isForced ? "yes" : "no",
                    table.problems.joined(separator: "; "),
                ])
            }
            context.output.line(shown.text)
        } else {
            let rows = tables.map { table -> JSONValue in
                [
                    "schema": .string(table.schema), "table": .string(table.name),
                    "rls_enabled": .bool(table.isEnabled), "rls_forced": .bool(table.isForced),
                    "problems": .strings(table.problems),
                ]
            }
            context.output.line(format.text(of: ["tables": .array(rows)]))
        }
        let open = tables.filter { !$0.problems.isEmpty }.count
        guard open > 0 else { return }
        throw CommandFailure(
            .otherFault,
            "\(open) of \(tables.count) tables do not keep their tenants apart: run 'tollgate db rls apply'",
            format: format)
    }
}
