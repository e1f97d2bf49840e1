// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key show`
struct KeyShowCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an API key.")

    @Argument(help: "Id.")
    var id: String

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) { try await $0.call(.get, KeyOutput.path(of: id)) }
        KeyOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
