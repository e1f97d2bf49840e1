// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate project create`
struct ProjectCreateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a project.")

    @Argument(help: "Name.")
    var name: String

    @Option(name: .customLong("id"), help: "Identifier (default: a generated one).")
    var id: String?

    @OptionGroup var tenant: TenantOption
    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body = JSONObject()
        if let id { body["id"] = .string(id) }
        body["name"] = .string(name)
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, ProjectOutput.path, query: tenant.query, body: request)
        }
        ProjectOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
