// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token revoke`
struct TokenRevokeCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke a service token for good.")

    @Argument(help: "Identifier.")
    var id: String

    @Option(help: "Why; kept with the token.")
    var reason: String

    @Flag(help: "Revoke every token of its rotation chain.")
    var family = false

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let body: JSONValue = ["reason": .string(reason), "family": .bool(family)]
        _ = try await APIClient.with(target, in: context) {
            try await $0.call(.post, TokenOutput.path(of: id) + "/revoke", body: body)
        }
        let message =
            family ? "Service token '\(id)' and its rotation chain revoked." : "Service token '\(id)' revoked."
        switch target.format {
        case .table: context.output.line(message)
        case let format: context.output.line(format.text(of: ["status": "success", "message": .string(message)]))
        }
    }
}
