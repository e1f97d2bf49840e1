// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate project show`
struct ProjectShowCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a project.")

    @Argument(help: "Identifier.")
    var id: String

    @OptionGroup var tenant: TenantOption
    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, ProjectOutput.path(of: id), query: tenant.query)
        }
        ProjectOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
