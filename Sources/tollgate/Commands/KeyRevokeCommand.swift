// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key revoke`
struct KeyRevokeCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke an API key for good.")

    @Argument(help: "Id.")
    var id: String

    @Option(help: "Why; kept with the key.")
    var reason: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let body: JSONValue = reason.map { ["reason": .string($0)] } ?? [:]
        _ = try await APIClient.with(target, in: context) {
            try await $0.call(.post, KeyOutput.path(of: id) + "/revoke", body: body)
        }
        let message = "API key '\(id)' revoked."
        switch target.format {
        case .table: context.output.line(message)
        case let format: context.output.line(format.text(of: ["status": "success", "message": .string(message)]))
        }
    }
}
