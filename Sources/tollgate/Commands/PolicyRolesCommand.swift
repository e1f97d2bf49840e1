// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy roles`
struct PolicyRolesCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "roles", abstract: "List the roles in force.")

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, PolicyOutput.path + "/rbac")
        }
        let body = answer.body ?? .null
        guard target.format == .table else {
            context.output.line(target.format.text(of: body))
            return
        }
        var table = TextTable(["ROLE", "INHERITS", "OWN", "ALL", "DESCRIPTION"])
        for member in body["roles"]?.objectValue?.members ?? [] {
            table.add([
                member.name, member.value["inherits"]?.stringValue ?? "",
                String(PolicyOutput.texts(member.value["permissions"]).count),
                String(PolicyOutput.texts(member.value["effective_permissions"]).count),
                member.value["description"]?.stringValue ?? "",
            ])
        }
        context.output.line(table.text)
    }
}
