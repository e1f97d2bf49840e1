// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate policy status`
struct PolicyStatusCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which policy data is in force, and what is wrong with newer data.")

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, PolicyOutput.path + "/status")
        }
        let body = answer.body ?? .null
        guard target.format == .table else {
            context.output.line(target.format.text(of: body))
            return
        }
        context.output.line(table(body))
        for problem in body["last_error"]?["problems"]?.arrayValue ?? [] {
            context.output.line("refused: " + PolicyOutput.text(ofProblem: problem))
        }
    }

    private func table(_ body: JSONValue) -> String {
        var table = TextTable(["FIELD", "VALUE"])
        func add(_ name: String, _ value: String?) { table.add([name, value ?? ""]) }
        add("revision", body["revision"]?.stringValue)
        add("source", body["source"]?.stringValue)
        add("location", body["location"]?.stringValue)
        add("writable", body["writable"]?.boolValue.map { $0 ? "yes" : "no" })
        add("loaded", body["loaded_at"]?.stringValue.map(ShownTime.text))
        add("roles", body["roles"]?.intValue.map(String.init))
        add("routes", body["routes"]?.intValue.map(String.init))
        add("condition", body["condition"]?["reason"]?.stringValue)
        add("mode", body["mode"]?.stringValue)
        return table.text
    }
}
