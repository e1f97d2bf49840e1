// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate get`
struct GetCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show the objects that the server works with, and whether they are in force.")

    @Argument(help: "AuthConfig, ServiceToken, Subscription or ToolManifest, or a short name such as tgauth.")
    var kind: String?

    @Option(name: .shortAndLong, help: "Namespace.")
    var namespace: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        var query: [(String, String)] = []
        if let kind {
            guard let name = Self.kindName(kind) else {
                throw CommandFailure(
                    .usage, "there is no kind \(kind): use AuthConfig, ServiceToken, Subscription or ToolManifest",
                    format: target.format)
            }
            query.append(("kind", name))
        }
        if let namespace { query.append(("namespace", namespace)) }
        let parameters = query
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, "/v1/resources", query: parameters)
        }
        let body = answer.body ?? .null
        switch target.format {
        case .table: context.output.line(Self.table(body["items"]?.arrayValue ?? []))
        case let format: context.output.line(format.text(of: body))
        }
    }

    /// The kind of a name as people write it: any case, plural, or short.
    private static func kindName(_ text: String) -> String? {
        switch ASCII.lowercased(text) {
        case "authconfig", "authconfigs", "tgauth": "AuthConfig"
        case "servicetoken", "servicetokens", "tgtoken": "ServiceToken"
        case "subscription", "subscriptions", "tgsub": "Subscription"
        case "toolmanifest", "toolmanifests", "tgtool": "ToolManifest"
        default: nil
        }
    }

    private static func table(_ items: [JSONValue]) -> String {
        var table = TextTable(["KIND", "NAMESPACE", "NAME", "READY", "REASON", "SOURCE", "MESSAGE"])
        for item in items {
            let ready = ResourceReadiness(item)
            let file = item["source"]?["file"]?.stringValue
            let line = item["source"]?["line"]?.intValue.map { ":\($0)" } ?? ""
            table.add([
                item["kind"]?.stringValue ?? "", item["metadata"]?["namespace"]?.stringValue ?? "",
                item["metadata"]?["name"]?.stringValue ?? "", ready.status, ready.reason, file.map { $0 + line } ?? "",
                // What is in force needs no words.
                ready.status == "True" ? "" : ready.message,
            ])
        }
        return table.text
    }
}

/// The condition `Ready` of an object.
struct ResourceReadiness {
    /// `True`, `False` or `Unknown`.
    let status: String
    let reason: String
    let message: String

    init(_ item: JSONValue) {
        let conditions = item["status"]?["conditions"]?.arrayValue ?? []
        let ready = conditions.first { $0["type"]?.stringValue == "Ready" }
        status = ready?["status"]?.stringValue ?? "Unknown"
        reason = ready?["reason"]?.stringValue ?? ""
        message = ready?["message"]?.stringValue ?? ""
    }

    /// `Ready is False: Revoked (the token is revoked)`.
    var summary: String {
        "Ready is \(status)" + (reason.isEmpty ? "" : ": \(reason)") + (message.isEmpty ? "" : " (\(message))")
    }
}
