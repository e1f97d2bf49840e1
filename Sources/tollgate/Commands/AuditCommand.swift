// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate audit …`
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Query the audit trail, check it, copy it.",
        subcommands: [
            AuditQueryCommand.self, AuditVerifyCommand.self, AuditBackupCommand.self, AuditReindexCommand.self,
        ])
}

/// `tollgate audit query`
struct AuditQueryCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Show audit entries, newest first.")

    @Argument(help: "Boolean query, such as 'outcome=denied AND NOT actor~probe'.")
    var query: String?

    @Option(help: "Exact actor.")
    var actor: String?

    @Option(help: "Exact action.")
    var action: String?

    @Option(help: "Exact resource.")
    var resource: String?

    @Option(help: "success, failure or denied.")
    var outcome: String?

    @Option(help: "Exact tenant.")
    var tenant: String?

    @Option(help: "First instant, RFC 3339.")
    var from: String?

    @Option(help: "Instant after the last, RFC 3339.")
    var to: String?

    @Option(help: "Entries, 1 to 1000.")
    var limit: Int = 100

    @Option(help: "Where the page before ended.")
    var cursor: String?

    @Option(help: "desc or asc.")
    var order: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let given = [
            ("q", query), ("actor", actor), ("action", action), ("resource", resource), ("outcome", outcome),
            ("tenant", tenant), ("from", from), ("to", to), ("cursor", cursor), ("order", order),
        ]
        let parameters = [("limit", String(limit))] + given.compactMap { name, value in value.map { (name, $0) } }
        let answer: APIAnswer
        do {
            answer = try await APIClient.with(target, in: context) {
                try await $0.call(.get, "/v1/audit/events", query: parameters)
            }
        } catch let failure as CommandFailure {
            if let query, let place = QueryFaultText(query, failure: failure) { context.errors.line(place.text) }
            throw failure
        }
        let body = answer.body ?? .null
        guard target.format == .table else {
            context.output.line(target.format.text(of: body))
            return
        }
        var table = TextTable(["TIME", "ACTOR", "ACTION", "OUTCOME", "RESOURCE", "ADDRESS"])
        for event in body["events"]?.arrayValue ?? [] {
            table.add([
                event["timestamp"]?.stringValue.map(ShownTime.text) ?? "", event["actor"]?.stringValue ?? "",
                event["action"]?.stringValue ?? "", event["outcome"]?.stringValue ?? "",
                event["resource"]?.stringValue ?? "", event["ip"]?.stringValue ?? "",
            ])
        }
        context.output.line(table.text)
        if let cursor = body["next_cursor"]?.stringValue { context.errors.line("more: --cursor \(cursor)") }
    }
}
