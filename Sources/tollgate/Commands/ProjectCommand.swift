// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate project …`
struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Make, list, rename and delete projects.",
        subcommands: [
            ProjectCreateCommand.self, ProjectListCommand.self, ProjectShowCommand.self, ProjectRenameCommand.self,
            ProjectDeleteCommand.self,
        ])
}

/// The tenant that a platform admin means.
struct TenantOption: ParsableArguments {
    @Option(help: "Tenant, for platform admins (default: the caller's).")
    var tenant: String?

    /// The query that says it.
    var query: [(String, String)] { tenant.map { [("tenant_id", $0)] } ?? [] }
}

/// How projects are shown.
enum ProjectOutput {
    static let path = "/v1/projects"

    /// The path of one project.
    static func path(of project: String) -> String { path + "/" + APIClient.escaped(project) }

    /// A list as a table.
    static func table(_ projects: [JSONValue]) -> String {
        var table = TextTable(["ID", "NAME", "TENANT", "CREATED", "BY"])
        for project in projects {
            table.add([
                project["id"]?.stringValue ?? "", project["name"]?.stringValue ?? "",
                project["tenant_id"]?.stringValue ?? "",
                project["created_at"]?.stringValue.map(ShownTime.text) ?? "", project["created_by"]?.stringValue ?? "",
            ])
        }
        return table.text
    }

    /// One project.
    static func show(_ body: JSONValue, format: OutputFormat, in context: CommandContext) {
        context.output.line(format == .table ? table([body]) : format.text(of: body))
    }
}
