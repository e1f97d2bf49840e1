// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate check …`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a running server.", subcommands: [CheckAPICommand.self])
}

/// `tollgate check api`
struct CheckAPICommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "api",
        abstract:
            "Check that objects are accepted, a token can be made, a decision is answered, and protected endpoints refuse."
    )

    @Option(help: "How long to try until everything is well, such as 60s.")
    var wait: String = "0s"

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        guard let patience = DurationText.parse(wait, plainSeconds: true) else {
            throw CommandFailure(.usage, "--wait takes a duration such as 60s")
        }
        let target = try ClientTarget.resolve(client, in: context)
        let end = context.clock.now().adding(seconds: patience.wholeSeconds)
        var results = try await attempt(target, in: context)
        while results.contains(where: { $0.fault != nil }), context.clock.now() < end {
            try await context.pause(.seconds(1))
            results = try await attempt(target, in: context)
        }
        show(results, format: target.format, in: context)
        guard let worst = results.compactMap(\.fault).first else { return }
        let failed = results.filter { $0.fault != nil }.map(\.name).joined(separator: ", ")
        throw CommandFailure(worst.exit, "failed: \(failed)", httpStatus: worst.httpStatus, format: target.format)
    }

    private func attempt(_ target: ClientTarget, in context: CommandContext) async throws -> [APICheckResult] {
        try await APIClient.with(target, in: context) { await APICheck(client: $0, random: context.random).run() }
    }

    private func show(_ results: [APICheckResult], format: OutputFormat, in context: CommandContext) {
        guard format == .table else {
            let rows = results.map { result -> JSONValue in
                [
                    "check": .string(result.name), "ok": .bool(result.fault == nil),
                    "message": .optional(result.fault?.message),
                ]
            }
            context.output.line(format.text(of: ["checks": .array(rows)]))
            return
        }
        var table = TextTable(["CHECK", "RESULT", "MESSAGE"])
        for result in results {
            table.add([result.name, result.fault == nil ? "ok" : "failed", result.fault?.message ?? ""])
        }
        context.output.line(table.text)
    }
}
