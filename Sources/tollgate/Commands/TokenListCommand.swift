// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate token list`
struct TokenListCommand: ContextualCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List service tokens, newest first.")

    @Option(help: "Comma list of active, rotated, expired and revoked, or all.")
    var status: String?

    @OptionGroup var client: ClientOptions

    /// Pages of 200 that are read at most.
    private static let maximumPages = 500

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let body = try await APIClient.with(target, in: context) { try await everyPage($0) }
        switch target.format {
        case .table: context.output.line(TokenOutput.table(body["tokens"]?.arrayValue ?? []))
        case let format: context.output.line(format.text(of: .object(body)))
        }
    }

    /// The API's body; of several pages the last one with the tokens of all.
    private func everyPage(_ client: APIClient) async throws -> JSONObject {
        var tokens: [JSONValue] = []
        var cursor: String?
        for _ in 0..<Self.maximumPages {
            var query = [("limit", "200")]
            if let status { query.append(("status", status)) }
            if let cursor { query.append(("cursor", cursor)) }
            let answer = try await client.call(.get, TokenOutput.path, query: query)
            guard var object = answer.body?.objectValue, let page = object["tokens"]?.arrayValue else {
                throw CommandFailure(.otherFault, "the answer holds no tokens", format: client.target.format)
            }
            tokens += page
            cursor = object["next_cursor"]?.stringValue
            if cursor == nil || page.isEmpty {
                object["tokens"] = .array(tokens)
                return object
            }
        }
        throw CommandFailure(.otherFault, "there are too many tokens: use --status", format: client.target.format)
    }
}
