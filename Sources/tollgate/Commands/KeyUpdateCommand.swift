// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key update`
struct KeyUpdateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change an API key. What is not named stays; a list is replaced as a whole.")

    @Argument(help: "Id.")
    var id: String

    @Option(help: "What it is called, 1 to 64 characters.")
    var name: String?

    @Option(help: "What it is for.")
    var description: String?

    @Option(name: .customLong("scope"), help: "Scope; may be repeated: these are all that it has then.")
    var scopes: [String] = []

    @Option(name: .customLong("allow-cidr"), help: "Address or block that it may be used from; may be repeated.")
    var allowedCIDRs: [String] = []

    @Option(name: .customLong("expires-at"), help: "RFC 3339 instant at which it expires, or never.")
    var expiresAt: String?

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard name != nil || description != nil || expiresAt != nil || !scopes.isEmpty || !allowedCIDRs.isEmpty else {
            throw ValidationError("name what changes: --name, --description, --scope, --allow-cidr or --expires-at")
        }
    }

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body = JSONObject()
        if let name { body["name"] = .string(name) }
        if let description { body["description"] = .string(description) }
        if let expiresAt { body["expires_at"] = expiresAt == "never" ? .null : .string(expiresAt) }
        for (name, values) in [("scopes", scopes), ("allowed_cidrs", allowedCIDRs)] where !values.isEmpty {
            body[name] = .strings(values)
        }
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.patch, KeyOutput.path(of: id), body: request)
        }
        KeyOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
