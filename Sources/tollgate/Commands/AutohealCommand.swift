// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `tollgate autoheal …`
struct AutohealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoheal", abstract: "Check healing rules and try them on alerts.",
        subcommands: [AutohealLintCommand.self, AutohealSimulateCommand.self])
}
