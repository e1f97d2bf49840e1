// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key create`
struct KeyCreateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make an API key of an account.")

    @Option(help: "What it is called, 1 to 64 characters.")
    var name: String

    @Option(help: "Account that it belongs to (default: the caller's).")
    var account: String?

    @Option(name: .customLong("scope"), help: "Scope; may be repeated (default: the installation's for keys).")
    var scopes: [String] = []

    @Option(help: "A bundle of scopes instead: read-only, read-write or admin, cut down to what the caller has.")
    var permissions: KeyPermissions?

    @Option(help: "live or test.")
    var environment: KeyEnvironment?

    @Option(name: .customLong("expires-in"), help: "Seconds until it expires (default: never).")
    var expiresIn: Int?

    @Option(help: "What it is for.")
    var description: String?

    @Option(name: .customLong("workspace"), help: "Workspace; may be repeated.")
    var workspaces: [String] = []

    @Option(help: "Project that its requests belong to.")
    var project: String?

    @Option(name: .customLong("allow-cidr"), help: "Address or block that it may be used from; may be repeated.")
    var allowedCIDRs: [String] = []

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard permissions == nil || scopes.isEmpty else {
            throw ValidationError("--scope and --permissions do not go together")
        }
    }

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body: JSONObject = ["name": .string(name)]
        if let account { body["account_id"] = .string(account) }
        if let permissions { body["permissions"] = .string(permissions.rawValue) }
        if let environment { body["environment"] = .string(environment.rawValue) }
        if let description { body["description"] = .string(description) }
        if let project { body["project_id"] = .string(project) }
        if let expiresIn { body["expires_in_seconds"] = .int(Int64(expiresIn)) }
        let lists = [("scopes", scopes), ("workspace_ids", workspaces), ("allowed_cidrs", allowedCIDRs)]
        for (name, values) in lists where !values.isEmpty { body[name] = .strings(values) }
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, KeyOutput.path, body: request)
        }
        KeyOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
