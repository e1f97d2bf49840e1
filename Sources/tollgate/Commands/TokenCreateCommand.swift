// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token create`
struct TokenCreateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a service token.")

    @Option(name: .customLong("id"), help: "Identifier (default: a generated one).")
    var identifier: String?

    @Option(name: .customLong("scope"), help: "Scope; may be repeated.")
    var scopes: [String] = []

    @Option(name: .customLong("role"), help: "Role; may be repeated.")
    var roles: [String] = []

    @Option(name: .customLong("workspace"), help: "Workspace; may be repeated.")
    var workspaces: [String] = []

    @Option(name: .customLong("tenant"), help: "Tenant (default: the caller's).")
    var tenant: String?

    @Option(name: .customLong("expires-in"), help: "Seconds until it expires (default: never).")
    var expiresIn: Int?

    @Option(help: "What it is for.")
    var description: String?

    @Option(name: .customLong("allow-cidr"), help: "Address or block that it may be used from; may be repeated.")
    var allowedCIDRs: [String] = []

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body = JSONObject()
        if let identifier { body["identifier"] = .string(identifier) }
        if let description { body["description"] = .string(description) }
        if let tenant { body["tenant_id"] = .string(tenant) }
        if let expiresIn { body["expires_in_seconds"] = .int(Int64(expiresIn)) }
        let lists = [
            ("scopes", scopes), ("roles", roles), ("workspace_ids", workspaces), ("allowed_cidrs", allowedCIDRs),
        ]
        for (name, values) in lists where !values.isEmpty { body[name] = .strings(values) }
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, TokenOutput.path, body: request)
        }
        TokenOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
