// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy …`
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Look at policy data and change roles.",
        subcommands: [
            PolicyStatusCommand.self, PolicyRoutesCommand.self, PolicyRolesCommand.self, PolicyRoleCommand.self,
            PolicyValidateCommand.self,
        ])
}

/// `tollgate policy role …`
struct PolicyRoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Show, set or delete one role.",
        subcommands: [PolicyRoleShowCommand.self, PolicyRoleSetCommand.self, PolicyRoleDeleteCommand.self])
}

/// How policy data is shown.
enum PolicyOutput {
    static let path = "/v1/admin/policy"

    /// The path of one role.
    static func path(ofRole name: String) -> String { "\(path)/roles/\(APIClient.escaped(name))" }

    /// The header that ties a change to a revision.
    static func precondition(_ revision: String?) -> [(String, String)] {
        revision.map { [("if-match", "\"\($0)\"")] } ?? []
    }

    /// One role, its permissions a line each.
    static func show(role body: JSONValue, format: OutputFormat, in context: CommandContext) {
        guard format == .table else {
            context.output.line(format.text(of: body))
            return
        }
        let role = body["role"]
        let own = Set(texts(role?["permissions"]))
        var lines = [
            "Role: \(body["role_name"]?.stringValue ?? "")",
            "Description: \(role?["description"]?.stringValue ?? "-")",
            "Inherits: \(role?["inherits"]?.stringValue ?? "-")",
            "Revision: \(body["metadata"]?["revision"]?.stringValue ?? "")", "",
        ]
        var table = TextTable(["PERMISSION", "FROM"])
        for permission in texts(role?["effective_permissions"]) {
            table.add([permission, own.contains(permission) ? "the role" : "inherited"])
        }
        lines.append(table.text)
        context.output.line(lines.joined(separator: "\n"))
    }

    /// A problem as the server names it, in one line.
    static func text(ofProblem problem: JSONValue) -> String {
        var parts = [problem["document"]?.stringValue ?? ""]
        if let role = problem["role"]?.stringValue, !role.isEmpty { parts.append("role \(role)") }
        let rule = problem["rule"]?.intValue.map { "rules[\($0)]" }
        let place = [rule, problem["member"]?.stringValue].compactMap(\.self).joined(separator: ".")
        if !place.isEmpty { parts.append(place) }
        parts.append(problem["problem"]?.stringValue ?? "")
        return parts.filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// The texts of a list.
    static func texts(_ value: JSONValue?) -> [String] { (value?.arrayValue ?? []).compactMap(\.stringValue) }
}
