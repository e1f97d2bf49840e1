// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token show`
struct TokenShowCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a service token.")

    @Argument(help: "Identifier.")
    var id: String

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, TokenOutput.path(of: id))
        }
        TokenOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
