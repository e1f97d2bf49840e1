// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate share offer`
struct ShareOfferCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "offer", abstract: "Offer a resource of the project to another project.")

    @Option(name: .customLong("type"), help: "Type of the resource.")
    var resourceType: String

    @Option(name: .customLong("id"), help: "Identifier of the resource.")
    var resourceID: String

    @Option(name: .customLong("to"), help: "The project that gets it.")
    var receiver: String

    @Option(name: .customLong("permission"), help: "read, use or manage; may be repeated.")
    var permissions: [String]

    @Option(name: .customLong("expires-at"), help: "When it ends, like 2027-01-31T12:00:00Z (default: never).")
    var expiresAt: String?

    @OptionGroup var side: ShareSideOptions

    func run(in context: CommandContext) async throws {
        var body: JSONObject = [
            "resource_type": .string(resourceType), "resource_id": .string(resourceID), "project": .string(receiver),
            "permissions": .strings(permissions),
        ]
        if let expiresAt { body["expires_at"] = .string(expiresAt) }
        try await ShareOutput.send(.post, ShareOutput.path(of: side.project), body: .object(body), side, in: context)
    }
}
