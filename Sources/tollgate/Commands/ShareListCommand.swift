// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate share list`
struct ShareListCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what the project gives, newest first.")

    @Option(help: "Comma list of pending, accepted, declined and revoked, or all.")
    var state: String?

    @OptionGroup var side: ShareSideOptions

    func run(in context: CommandContext) async throws {
        try await ShareOutput.list(ShareOutput.path(of: side.project), state: state, side, in: context)
    }
}

/// `tollgate share received`
struct ShareReceivedCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "received", abstract: "List what the project got, newest first.")

    @Option(help: "Comma list of pending, accepted, declined and revoked, or all.")
    var state: String?

    @OptionGroup var side: ShareSideOptions

    func run(in context: CommandContext) async throws {
        let path = ProjectOutput.path(of: side.project) + "/shared"
        try await ShareOutput.list(path, state: state, side, in: context)
    }
}
