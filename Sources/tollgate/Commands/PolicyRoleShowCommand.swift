// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy role show`
struct PolicyRoleShowCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a role with every permission that it comes to.")

    @Argument(help: "Name of the role.")
    var name: String

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, PolicyOutput.path(ofRole: name))
        }
        PolicyOutput.show(role: answer.body ?? .null, format: target.format, in: context)
    }
}
