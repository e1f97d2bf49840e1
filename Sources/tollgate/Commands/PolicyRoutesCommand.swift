// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy routes`
struct PolicyRoutesCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "List the route table in force, first match first.")

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, PolicyOutput.path + "/routes")
        }
        let body = answer.body ?? .null
        guard target.format == .table else {
            context.output.line(target.format.text(of: body))
            return
        }
        var table = TextTable(["RULE", "METHODS", "PATH", "ASKS", "FLAGS"])
        for rule in body["rules"]?.arrayValue ?? [] {
            table.add([
                rule["index"]?.intValue.map { String($0 + 1) } ?? "",
                PolicyOutput.texts(rule["methods"]).joined(separator: ","), rule["path"]?.stringValue ?? "",
                Self.asks(rule), Self.flags(rule),
            ])
        }
        context.output.line(table.text)
        for route in body["unreachable"]?.arrayValue ?? [] {
            context.output.line("warning: \(route["message"]?.stringValue ?? "")")
        }
    }

    private static func asks(_ rule: JSONValue) -> String {
        if rule["public"] == true { return "nothing (public)" }
        if rule["authenticated"] == true { return "a known caller" }
        return rule["permission"]?.stringValue ?? ""
    }

    private static func flags(_ rule: JSONValue) -> String {
        var flags: [String] = []
        if rule["platform"] == true { flags.append("platform") }
        if rule["ownership"] == "required" { flags.append("ownership") }
        if let type = rule["type"]?.stringValue { flags.append("type=\(type)") }
        if let signed = rule["signed"]?.stringValue { flags.append("signed=\(signed)") }
        return flags.joined(separator: ",")
    }
}
