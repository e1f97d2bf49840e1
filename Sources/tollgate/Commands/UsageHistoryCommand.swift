// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate usage history`
struct UsageHistoryCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List recorded uses, the newest first.")

    @Option(help: "First instant, RFC 3339.")
    var from: String?

    @Option(help: "Instant after the last, RFC 3339.")
    var to: String?

    @Option(help: "Only those of this model.")
    var model: String?

    @Option(help: "Only those of this agent.")
    var agent: String?

    @Option(help: "Only those of this user.")
    var user: String?

    @Option(help: "Only those of this project.")
    var project: String?

    @Option(help: "How many, 1 to 1000.")
    var limit: Int = 50

    @Option(help: "Where the page before ended, as it was told.")
    var cursor: String?

    @OptionGroup var usage: UsageOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000") }
    }

    func run(in context: CommandContext) async throws {
        let (body, format) = try await usage.ask(
            "usage/history",
            query: [
                ("from", from), ("to", to), ("model", model), ("agent", agent), ("user", user),
                ("project", project), ("limit", "\(limit)"), ("cursor", cursor),
            ], in: context)
        guard format == .table else { return context.output.line(format.text(of: body)) }
        var table = TextTable(["TIME", "KIND", "MODEL OR AGENT", "USER", "PROJECT", "TOKENS", "CHARGE", "CREDITS"])
        for record in body["records"]?.arrayValue ?? [] {
            let subject = record["model"]?.stringValue ?? record["agent"]?.stringValue ?? ""
            table.add([
                UsageOutput.instant(record["at"]), record["kind"]?.stringValue ?? "",
                record["quarantined"] == true ? subject + " (price unknown)" : subject,
                record["user"]?.stringValue ?? "", record["project"]?.stringValue ?? "",
                UsageOutput.count(record["tokens"]?["total"]), UsageOutput.dollars(record["charge_micro_usd"]),
                UsageOutput.credits(record["charge_micro_credits"]),
            ])
        }
        context.output.line(table.text)
        if let next = body["next_cursor"]?.stringValue {
            context.output.line("\nThere are older ones: --cursor '\(next)'")
        }
    }
}
