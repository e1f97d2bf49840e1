// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key rotate`
struct KeyRotateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace an API key by a new one; the old one works on for the overlap.")

    @Argument(help: "Id.")
    var id: String

    @Option(help: "Seconds that the old key still works.")
    var overlap: Int = 300

    @Option(name: .customLong("expires-in"), help: "Seconds until the new key expires (default: as the old one).")
    var expiresIn: Int?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var body: JSONObject = ["overlap_seconds": .int(Int64(overlap))]
        if let expiresIn { body["expires_in_seconds"] = .int(Int64(expiresIn)) }
        let request = JSONValue.object(body)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, KeyOutput.path(of: id) + "/rotate", body: request)
        }
        KeyOutput.show(answer.body ?? .null, format: target.format, in: context)
    }
}
