// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `tollgate version`
struct VersionCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run(in context: CommandContext) async throws { context.output.line("tollgate " + ProductVersion.text) }
}
