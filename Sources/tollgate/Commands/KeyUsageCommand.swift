// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key usage`
struct KeyUsageCommand: ContextualCommand {
    /// How long one row of the answer is.
    enum Bucket: String, Sendable, CaseIterable, ExpressibleByArgument {
        case hour, day
    }

    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show how often an API key was used, and how often it was refused.",
        discussion: "The table leaves out buckets without a request.")

    @Argument(help: "Id.")
    var id: String

    @Option(help: "First instant, RFC 3339.")
    var from: String?

    @Option(help: "Instant after the last, RFC 3339.")
    var to: String?

    @Option(help: "hour or day.")
    var bucket: Bucket?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let query = [("from", from), ("to", to), ("bucket", bucket?.rawValue)]
            .compactMap { name, value in value.map { (name, $0) } }
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, KeyOutput.path(of: id) + "/usage", query: query)
        }
        let body = answer.body ?? .null
        switch target.format {
        case .table: context.output.line(Self.table(body))
        case let format: context.output.line(format.text(of: body))
        }
    }

    private static let countNames = ["requests", "denied", "rate_limited"]

    private static func table(_ body: JSONValue) -> String {
        var table = TextTable(["START", "REQUESTS", "DENIED", "RATE LIMITED", "BY STATUS"])
        for bucket in body["buckets"]?.arrayValue ?? [] where countNames.contains(where: { bucket[$0]?.intValue != 0 })
        {
            table.add(row(bucket["start"]?.stringValue.map(ShownTime.text) ?? "", bucket))
        }
        table.add(row("total", body["totals"] ?? .null))
        return table.text
    }

    private static func row(_ start: String, _ counts: JSONValue) -> [String] {
        let byStatus = (counts["by_status"]?.objectValue?.members ?? []).map { "\($0.name): \($0.value.intValue ?? 0)" }
        return [start] + countNames.map { String(counts[$0]?.intValue ?? 0) }
            + [byStatus.joined(separator: ", ")]
    }
}
