// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate key list`
struct KeyListCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List API keys, newest first.")

    @Option(help: "Comma list of active, rotated, expired and revoked, or all.")
    var status: String?

    @Option(help: "Account whose keys are listed (default: the caller's).")
    var account: String?

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let query = [("status", status), ("account_id", account)].compactMap { name, value in value.map { (name, $0) } }
        let body = try await APIClient.with(target, in: context) {
            try await $0.everyPage(
                KeyOutput.path, query: query, member: "keys",
                tooMany: "there are too many keys: use --status or --account")
        }
        switch target.format {
        case .table: context.output.line(KeyOutput.table(body["keys"]?.arrayValue ?? []))
        case let format: context.output.line(format.text(of: .object(body)))
        }
    }
}
