// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate share …`
struct ShareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Offer resources of a project to another one, and answer offers.",
        subcommands: [
            ShareOfferCommand.self, ShareListCommand.self, ShareReceivedCommand.self, ShareAcceptCommand.self,
            ShareDeclineCommand.self, ShareUpdateCommand.self, ShareRevokeCommand.self,
        ])
}

/// Whose side the caller is on.
struct ShareSideOptions: ParsableArguments {
    @Option(help: "The caller's project.")
    var project: String

    @OptionGroup var tenant: TenantOption
    @OptionGroup var client: ClientOptions
}

/// How shares are shown.
enum ShareOutput {
    /// The path of what a project gives.
    static func path(of project: String) -> String { ProjectOutput.path(of: project) + "/access" }

    /// The path of one share.
    static func path(of project: String, share: String) -> String {
        path(of: project) + "/" + APIClient.escaped(share)
    }

    /// A list as a table.
    static func table(_ shares: [JSONValue]) -> String {
        var table = TextTable(["ID", "TYPE", "RESOURCE", "OWNER", "PROJECT", "PERMISSIONS", "EXPIRES", "STATE"])
        for share in shares {
            let permissions = (share["permissions"]?.arrayValue ?? []).compactMap(\.stringValue)
            table.add([
                share["id"]?.stringValue ?? "", share["resource_type"]?.stringValue ?? "",
                share["resource_id"]?.stringValue ?? "", share["owner_project"]?.stringValue ?? "",
                share["project"]?.stringValue ?? "", permissions.joined(separator: ","),
                share["expires_at"]?.stringValue.map(ShownTime.text) ?? "Never", share["state"]?.stringValue ?? "",
            ])
        }
        return table.text
    }

    /// Calls, and shows the share that is answered.
    static func send(
        _ method: APIMethod, _ path: String, body: JSONValue? = nil, _ side: ShareSideOptions,
        in context: CommandContext
    ) async throws {
        let target = try ClientTarget.resolve(side.client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(method, path, query: side.tenant.query, body: body)
        }
        let share = answer.body ?? .null
        context.output.line(target.format == .table ? table([share]) : target.format.text(of: share))
    }

    /// Reads every page of a list, and shows it.
    static func list(
        _ path: String, state: String?, _ side: ShareSideOptions, in context: CommandContext
    ) async throws {
        let target = try ClientTarget.resolve(side.client, in: context)
        let query = (state.map { [("state", $0)] } ?? []) + side.tenant.query
        let body = try await APIClient.with(target, in: context) {
            try await ListPages(path: path, member: "shares", query: query).all($0)
        }
        switch target.format {
        case .table: context.output.line(table(body["shares"]?.arrayValue ?? []))
        case let format: context.output.line(format.text(of: .object(body)))
        }
    }
}
