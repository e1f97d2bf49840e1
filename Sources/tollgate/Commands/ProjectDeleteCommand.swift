// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate project delete`
struct ProjectDeleteCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a project and revoke its shares.")

    @Argument(help: "Identifier.")
    var id: String

    @OptionGroup var tenant: TenantOption
    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        _ = try await APIClient.with(target, in: context) {
            try await $0.call(.delete, ProjectOutput.path(of: id), query: tenant.query)
        }
        let message = "Project '\(id)' deleted, its shares revoked."
        switch target.format {
        case .table: context.output.line(message)
        case let format: context.output.line(format.text(of: ["status": "success", "message": .string(message)]))
        }
    }
}
