// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key …`
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make, list, change, rotate and revoke API keys of accounts, and see their use.",
        subcommands: [
            KeyCreateCommand.self, KeyListCommand.self, KeyShowCommand.self, KeyUpdateCommand.self,
            KeyRotateCommand.self, KeyRevokeCommand.self, KeyUsageCommand.self, KeyEventsCommand.self,
        ])
}

/// Which bundle of scopes a key gets.
enum KeyPermissions: String, Sendable, CaseIterable, ExpressibleByArgument {
    case readOnly = "read-only"
    case readWrite = "read-write"
    case admin
}

/// Which of the two kinds of keys.
enum KeyEnvironment: String, Sendable, CaseIterable, ExpressibleByArgument {
    case live, test
}

/// How API keys are shown.
enum KeyOutput {
    static let path = "/v1/api-keys"

    /// The path of one key.
    static func path(of id: String) -> String { path + "/" + APIClient.escaped(id) }

    /// A list as a table.
    static func table(_ keys: [JSONValue]) -> String {
        var table = TextTable(["ID", "NAME", "ENVIRONMENT", "SCOPES", "EXPIRES", "STATUS"])
        for key in keys {
            table.add([
                key["id"]?.stringValue ?? "", key["name"]?.stringValue ?? "", key["environment"]?.stringValue ?? "",
                (key["scopes"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ","),
                key["expires_at"]?.stringValue.map(ShownTime.text) ?? "Never", key["status"]?.stringValue ?? "",
            ])
        }
        return table.text
    }

    /// One key; after the moment that made it also its text, which is never shown again.
    static func show(_ body: JSONValue, format: OutputFormat, in context: CommandContext) {
        guard format == .table else {
            context.output.line(format.text(of: body))
            return
        }
        context.output.line(table([body]))
        guard let text = body["key"]?.stringValue else { return }
        context.output.line("\nKey: \(text)\nStore this secret securely. It will not be shown again.")
        if let rotatedFrom = body["rotated_from"]?.stringValue, let message = body["message"]?.stringValue {
            context.output.line("\(rotatedFrom) → \(body["id"]?.stringValue ?? ""): \(message)")
        }
    }
}
