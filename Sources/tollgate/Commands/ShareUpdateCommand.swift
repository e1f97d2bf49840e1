// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate share update`
struct ShareUpdateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change what the project gives; more permissions wait until they are accepted.")

    @Argument(help: "Identifier of the share.")
    var id: String

    @Option(name: .customLong("permission"), help: "read, use or manage, in place of those before; may be repeated.")
    var permissions: [String] = []

    @Option(name: .customLong("expires-at"), help: "When it ends, like 2027-01-31T12:00:00Z, or never.")
    var expiresAt: String?

    @OptionGroup var side: ShareSideOptions

    func validate() throws {
        guard !permissions.isEmpty || expiresAt != nil else {
            throw ValidationError("nothing to change: give --permission or --expires-at")
        }
    }

    func run(in context: CommandContext) async throws {
        var body = JSONObject()
        if !permissions.isEmpty { body["permissions"] = .strings(permissions) }
        if let expiresAt { body["expires_at"] = expiresAt == "never" ? .null : .string(expiresAt) }
        let path = ShareOutput.path(of: side.project, share: id)
        try await ShareOutput.send(.patch, path, body: .object(body), side, in: context)
    }
}
