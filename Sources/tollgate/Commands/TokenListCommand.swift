// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token list`
struct TokenListCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List service tokens, newest first.")

    @Option(help: "Comma list of active, rotated, expired and revoked, or all.")
    var status: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let query = status.map { [("status", $0)] } ?? []
        let body = try await APIClient.with(target, in: context) {
            try await $0.everyPage(
                TokenOutput.path, query: query, member: "tokens", tooMany: "there are too many tokens: use --status")
        }
        switch target.format {
        case .table: context.output.line(TokenOutput.table(body["tokens"]?.arrayValue ?? []))
        case let format: context.output.line(format.text(of: .object(body)))
        }
    }
}
