// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy role set`
struct PolicyRoleSetCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Add a role, or replace it as a whole.")

    @Argument(help: "Name of the role.")
    var name: String

    @Option(help: "The role whose permissions it has too.")
    var inherits: String?

    @Option(name: .customLong("permission"), help: "Permission, such as tasks:read or tasks:*; may be repeated.")
    var permissions: [String] = []

    @Option(help: "What it is for.")
    var description: String

    @Option(name: .customLong("if-match"), help: "Change nothing unless this revision is in force.")
    var revision: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body: JSONObject = ["description": .string(description)]
        if let inherits { body["inherits"] = .string(inherits) }
        if !permissions.isEmpty { body["permissions"] = .strings(permissions) }
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(
                .put, PolicyOutput.path(ofRole: name), headers: PolicyOutput.precondition(revision), body: request)
        }
        PolicyOutput.show(role: answer.body ?? .null, format: target.format, in: context)
    }
}
