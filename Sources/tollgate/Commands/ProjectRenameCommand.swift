// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate project rename`
struct ProjectRenameCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "rename", abstract: "Give a project another name.")

    @Argument(help: "Identifier.")
    var id: String

    @Argument(help: "New name.")
    var name: String

    @OptionGroup var tenant: TenantOption
    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(
                .patch, ProjectOutput.path(of: id), query: tenant.query, body: ["name": .string(name)])
        }
        ProjectOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
