// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate project list`
struct ProjectListCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the projects of the tenant, newest first.")

    @OptionGroup var tenant: TenantOption
    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let body = try await APIClient.with(target, in: context) {
            try await ListPages(path: ProjectOutput.path, member: "projects", query: tenant.query).all($0)
        }
        switch target.format {
        case .table: context.output.line(ProjectOutput.table(body["projects"]?.arrayValue ?? []))
        case let format: context.output.line(format.text(of: .object(body)))
        }
    }
}

/// A list that comes in pages.
struct ListPages {
    /// Pages of 200 that are read at most.
    static let maximumPages = 500

    let path: String
    /// The member that holds the records.
    let member: String
    var query: [(String, String)] = []

    /// The API's body; of several pages the last one with the records of all.
    func all(_ client: APIClient) async throws -> JSONObject {
        var records: [JSONValue] = []
        var cursor: String?
        for _ in 0..<Self.maximumPages {
            var query = [("limit", "200")] + query
            if let cursor { query.append(("cursor", cursor)) }
            let answer = try await client.call(.get, path, query: query)
            guard var object = answer.body?.objectValue, let page = object[member]?.arrayValue else {
                throw CommandFailure(.otherFault, "the answer holds no \(member)", format: client.target.format)
            }
            records += page
            cursor = object["next_cursor"]?.stringValue
            if cursor == nil || page.isEmpty {
                object[member] = .array(records)
                return object
            }
        }
        throw CommandFailure(.otherFault, "there are too many \(member)", format: client.target.format)
    }
}
