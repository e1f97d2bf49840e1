// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy role delete`
struct PolicyRoleDeleteCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a role that no other inherits from.")

    @Argument(help: "Name of the role.")
    var name: String

    @Option(name: .customLong("if-match"), help: "Change nothing unless this revision is in force.")
    var revision: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        _ = try await APIClient.with(target, in: context) {
            try await $0.call(
                .delete, PolicyOutput.path(ofRole: name), headers: PolicyOutput.precondition(revision))
        }
        let message = "Role '\(name)' deleted."
        switch target.format {
        case .table: context.output.line(message)
        case let format: context.output.line(format.text(of: ["status": "success", "message": .string(message)]))
        }
    }
}
