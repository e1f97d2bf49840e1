// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate usage series`
struct UsageSeriesCommand: ContextualCommand {
    /// How long one row of the answer is.
    enum Granularity: String, Sendable, CaseIterable, ExpressibleByArgument {
        case hour, day, week, month
    }

    /// By what rows are told apart.
    enum Dimension: String, Sendable, CaseIterable, ExpressibleByArgument {
        case model, agent, user, project
    }

    static let configuration = CommandConfiguration(
        commandName: "series", abstract: "Show what was used by hour, day, week or month.",
        discussion: "The bars of the table show charges; where nothing was charged, requests.")

    @Option(help: "First instant, RFC 3339 (default: thirty rows before the last).")
    var from: String?

    @Option(help: "Instant after the last, RFC 3339 (default: now).")
    var to: String?

    @Option(help: "hour, day, week or month (default: day).")
    var granularity: Granularity?

    @Option(name: .customLong("group-by"), help: "model, agent, user or project; may be repeated.")
    var groupBy: [Dimension] = []

    @OptionGroup var usage: UsageOptions

    func run(in context: CommandContext) async throws {
        let grouping = groupBy.isEmpty ? nil : groupBy.map(\.rawValue).joined(separator: ",")
        let (body, format) = try await usage.ask(
            "usage/series",
            query: [
                ("from", from), ("to", to), ("granularity", granularity?.rawValue), ("group_by", grouping),
            ], in: context)
        switch format {
        case .table: context.output.line(table(body, isPlain: !context.outputIsTerminal))
        case let format: context.output.line(format.text(of: body))
        }
    }

    private func table(_ body: JSONValue, isPlain: Bool) -> String {
        let buckets = body["buckets"]?.arrayValue ?? []
        let dimensions = Dimension.allCases.filter(groupBy.contains)
        let isCharged = buckets.contains { ($0["charge_micro_usd"]?.intValue ?? 0) > 0 }
        let measure = isCharged ? "charge_micro_usd" : "requests"
        let bar = TextBar(buckets.map { $0[measure]?.intValue ?? 0 }, isPlain: isPlain)
        let figures = ["REQUESTS", "TOKENS", "CHARGE", "CREDITS", "CHART"]
        var table = TextTable(["START"] + dimensions.map { $0.rawValue.uppercased() } + figures)
        for bucket in buckets {
            table.add(
                [bucket["window"]?.stringValue ?? ""] + dimensions.map { bucket[$0.rawValue]?.stringValue ?? "" }
                    + Self.figures(bucket) + [bar.text(bucket[measure]?.intValue ?? 0)])
        }
        table.add(["total"] + dimensions.map { _ in "" } + Self.figures(Self.sum(buckets)) + [""])
        return table.text
    }

    private static func figures(_ bucket: JSONValue) -> [String] {
        [
            UsageOutput.count(bucket["requests"]), UsageOutput.count(bucket["tokens"]?["total"]),
            UsageOutput.dollars(bucket["charge_micro_usd"]), UsageOutput.credits(bucket["charge_micro_credits"]),
        ]
    }

    private static func sum(_ buckets: [JSONValue]) -> JSONValue {
        func total(_ value: (JSONValue) -> Int64?) -> JSONValue {
            .int(buckets.reduce(0) { $0.addingSaturated(value($1) ?? 0) })
        }
        return [
            "requests": total { $0["requests"]?.intValue },
            "tokens": ["total": total { $0["tokens"]?["total"]?.intValue }],
            "charge_micro_usd": total { $0["charge_micro_usd"]?.intValue },
            "charge_micro_credits": total { $0["charge_micro_credits"]?.intValue },
        ]
    }
}
