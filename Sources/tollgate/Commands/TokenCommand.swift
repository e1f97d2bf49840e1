// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token …`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list, rotate and revoke service tokens.",
        subcommands: [
            TokenCreateCommand.self, TokenListCommand.self, TokenShowCommand.self, TokenRotateCommand.self,
            TokenRevokeCommand.self,
        ])
}

/// How service tokens are shown.
enum TokenOutput {
    static let path = "/v1/service-tokens"

    /// The path of one token.
    static func path(of identifier: String) -> String { path + "/" + APIClient.escaped(identifier) }

    /// A list as a table.
    static func table(_ tokens: [JSONValue]) -> String {
        var table = TextTable(["ID", "SCOPES", "WORKSPACES", "ISSUED", "EXPIRES", "STATUS"])
        for token in tokens {
            table.add([
                token["identifier"]?.stringValue ?? "", joined(token["scopes"]), joined(token["workspace_ids"]),
                token["issued_at"]?.stringValue.map(ShownTime.text) ?? "",
                token["expires_at"]?.stringValue.map(ShownTime.text) ?? "Never", token["status"]?.stringValue ?? "",
            ])
        }
        return table.text
    }

    /// One token; after the moment that made it also its secret, which is never shown again.
    static func show(_ body: JSONValue, format: OutputFormat, in context: CommandContext) {
        guard format == .table else {
            context.output.line(format.text(of: body))
            return
        }
        context.output.line(table([body]))
        guard let secret = body["secret"]?.stringValue else { return }
        context.output.line("\nSecret: \(secret)\nStore this secret securely. It will not be shown again.")
        if let rotatedFrom = body["rotated_from"]?.stringValue, let message = body["message"]?.stringValue {
            context.output.line("\(rotatedFrom) → \(body["identifier"]?.stringValue ?? ""): \(message)")
        }
    }

    private static func joined(_ list: JSONValue?) -> String {
        (list?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",")
    }
}
