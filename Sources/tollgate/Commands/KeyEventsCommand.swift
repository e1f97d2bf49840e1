// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key events`
struct KeyEventsCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened to an API key, or to all of the account, newest first.")

    @Argument(help: "Id (default: every key).")
    var id: String?

    @Option(help: "Events, 1 to 200.")
    var limit: Int = 50

    @Option(help: "Where the page before ended.")
    var cursor: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let query = [("limit", String(limit))] + (cursor.map { [("cursor", $0)] } ?? [])
        let path = id.map { KeyOutput.path(of: $0) } ?? KeyOutput.path
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, path + "/events", query: query)
        }
        let body = answer.body ?? .null
        guard target.format == .table else {
            context.output.line(target.format.text(of: body))
            return
        }
        var table = TextTable(["TIME", "EVENT", "KEY", "ACTOR", "OUTCOME", "ADDRESS"])
        for event in body["events"]?.arrayValue ?? [] {
            table.add([
                event["timestamp"]?.stringValue.map(ShownTime.text) ?? "", event["action"]?.stringValue ?? "",
                event["resource"]?.stringValue ?? "", event["actor"]?.stringValue ?? "",
                event["outcome"]?.stringValue ?? "", event["ip"]?.stringValue ?? "",
            ])
        }
        context.output.line(table.text)
        if let cursor = body["next_cursor"]?.stringValue { context.errors.line("more: --cursor \(cursor)") }
    }
}
