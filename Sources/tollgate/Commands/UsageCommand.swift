// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate usage …`
struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show what an account has used, of which limits, and how it goes on.",
        subcommands: [
            UsageShowCommand.self, UsageSeriesCommand.self, UsageHistoryCommand.self, UsageForecastCommand.self,
        ], defaultSubcommand: UsageShowCommand.self)
}

/// The options of every command about usage.
struct UsageOptions: ParsableArguments {
    @Option(help: "Account (default: the caller's).")
    var account: String?

    @OptionGroup var client: ClientOptions

    /// Asks the server.
    func ask(
        _ path: String, query: [(String, String?)] = [], in context: CommandContext
    ) async throws -> (body: JSONValue, format: OutputFormat) {
        let target = try ClientTarget.resolve(client, in: context)
        let items = (query + [("account", account)]).compactMap { name, value in value.map { (name, $0) } }
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, "/v1/billing/" + path, query: items)
        }
        return (answer.body ?? .null, target.format)
    }
}

/// How figures of usage are shown.
enum UsageOutput {
    /// A count, or `unlimited`.
    static func limit(_ value: JSONValue?) -> String {
        guard let limit = value?.intValue else { return "" }
        return limit < 0 ? "unlimited" : "\(limit)"
    }

    static func count(_ value: JSONValue?) -> String { value?.intValue.map { "\($0)" } ?? "" }

    static func credits(_ value: JSONValue?) -> String { value?.intValue.map(MicroText.credits) ?? "" }

    static func dollars(_ value: JSONValue?) -> String { value?.intValue.map(MicroText.dollars) ?? "" }

    static func instant(_ value: JSONValue?) -> String { value?.stringValue.map(ShownTime.text) ?? "" }
}

/// `tollgate usage show`
struct UsageShowCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what the period and the day have used, beside the limits.")

    @OptionGroup var usage: UsageOptions

    func run(in context: CommandContext) async throws {
        let (body, format) = try await usage.ask("usage", in: context)
        guard format == .table else { return context.output.line(format.text(of: body)) }
        var table = TextTable(["WHAT", "USED", "LIMIT"])
        for (title, used, limit) in [
            ("tasks", "tasks_used", "tasks_limit"), ("workers", "workers_used", "workers_limit"),
            ("workspaces", "workspaces_used", "workspaces_limit"), ("agents", "agents_used", "agents_limit"),
            ("tokens today", "tokens_today", "tokens_daily_limit"),
        ] {
            table.add([title, UsageOutput.count(body[used]), UsageOutput.limit(body[limit])])
        }
        let models = body["premium_models_used"]?.arrayValue ?? []
        table.add(["premium models", "\(models.count)", UsageOutput.limit(body["premium_models_limit"])])
        context.output.line(table.text)
        let credits = body["credits"]
        var sums = TextTable(["CREDITS", "GRANTED", "USED", "HELD", "REMAINING", "OWED"])
        sums.add(
            ["this period"]
                + ["granted", "used", "held", "remaining", "debt"].map {
                    UsageOutput.credits(credits?["\($0)_micro_credits"])
                })
        context.output.line("\n" + sums.text)
        context.output.line(
            "\nPeriod: \(UsageOutput.instant(body["period_start"])) to \(UsageOutput.instant(body["period_end"]))")
    }
}

/// `tollgate usage forecast`
struct UsageForecastCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecast", abstract: "Show how the period will end if it goes on like its mean day.")

    @OptionGroup var usage: UsageOptions

    func run(in context: CommandContext) async throws {
        let (body, format) = try await usage.ask("forecast", in: context)
        guard format == .table else { return context.output.line(format.text(of: body)) }
        var table = TextTable(["FORECAST", "VALUE"])
        let days = "\(UsageOutput.count(body["elapsed_days"])) of \(UsageOutput.count(body["period_days"]))"
        table.add(["days", days])
        table.add(["credits used", UsageOutput.credits(body["used_micro_credits"])])
        table.add(["credits at the period's end", UsageOutput.credits(body["projected_micro_credits"])])
        let isEnough = body["exhausted_at"]?.stringValue == nil
        table.add(["nothing left at", isEnough ? "not in this period" : UsageOutput.instant(body["exhausted_at"])])
        table.add(["trend", body["trend"]?.stringValue ?? ""])
        table.add(["confidence", body["confidence"]?.stringValue ?? ""])
        context.output.line(table.text)
    }
}
