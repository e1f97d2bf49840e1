// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token rotate`
struct TokenRotateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace a service token by a new one; the old one works on for the overlap.")

    @Argument(help: "Identifier.")
    var id: String

    @Option(help: "Seconds that the old token still works.")
    var overlap: Int = 300

    @Option(name: .customLong("expires-in"), help: "Seconds until the new token expires (default: as the old one).")
    var expiresIn: Int?

    @Option(name: .customLong("scope"), help: "Scope to add; may be repeated.")
    var scopes: [String] = []

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body: JSONObject = ["overlap_seconds": .int(Int64(overlap))]
        if let expiresIn { body["expires_in_seconds"] = .int(Int64(expiresIn)) }
        if !scopes.isEmpty { body["add_scopes"] = .strings(scopes) }
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, TokenOutput.path(of: id) + "/rotate", body: request)
        }
        TokenOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
