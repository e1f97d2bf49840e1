// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate share accept`
struct ShareAcceptCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Accept an offer for the project that got it.")

    @Argument(help: "Identifier of the share.")
    var id: String

    @OptionGroup var side: ShareSideOptions

    func run(in context: CommandContext) async throws {
        let path = ShareOutput.path(of: side.project, share: id) + "/accept"
        try await ShareOutput.send(.post, path, side, in: context)
    }
}

/// `tollgate share decline`
struct ShareDeclineCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "decline", abstract: "Decline an offer for the project that got it.")

    @Argument(help: "Identifier of the share.")
    var id: String

    @OptionGroup var side: ShareSideOptions

    func run(in context: CommandContext) async throws {
        let path = ShareOutput.path(of: side.project, share: id) + "/decline"
        try await ShareOutput.send(.post, path, side, in: context)
    }
}
