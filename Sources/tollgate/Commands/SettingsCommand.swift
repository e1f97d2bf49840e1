// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate settings`
struct SettingsCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Print every setting with its default.")

    @Flag(help: "Print the reference page.")
    var markdown = false

    @Option(help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    func run(in context: CommandContext) async throws {
        if markdown {
            context.output.write(Array(SettingsTable.markdown.utf8))
            return
        }
        switch output ?? (context.outputIsTerminal ? .table : .json) {
        case .table: context.output.line(SettingsTable.text)
        case let format: context.output.line(format.text(of: SettingsTable.json))
        }
    }
}
