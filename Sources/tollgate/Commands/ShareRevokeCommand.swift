// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate share revoke`
struct ShareRevokeCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a share for good, from either side.")

    @Argument(help: "Identifier of the share.")
    var id: String

    @Option(help: "Why; kept with the share.")
    var reason: String?

    @OptionGroup var side: ShareSideOptions

    func run(in context: CommandContext) async throws {
        var body = JSONObject()
        if let reason { body["reason"] = .string(reason) }
        let path = ShareOutput.path(of: side.project, share: id) + "/revoke"
        try await ShareOutput.send(.post, path, body: .object(body), side, in: context)
    }
}
