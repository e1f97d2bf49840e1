// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate cluster …`
struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Look after the Deployment that Tollgate itself runs as.",
        subcommands: [
            ClusterStatusCommand.self, ClusterScaleCommand.self, ClusterHealthCommand.self,
            ClusterReconcileCommand.self,
        ])
}

/// What the answers look like for people.
enum ClusterOutput {
    static let path = "/v1/k8s"

    /// Shows an answer in the format that is asked for.
    static func show(
        _ answer: APIAnswer, _ target: ClientTarget, in context: CommandContext, table: (JSONValue) -> String
    ) {
        let body = answer.body ?? .null
        context.output.line(target.format == .table ? table(body) : target.format.text(of: body))
    }

    /// Members and their values, one a line.
    static func fields(_ body: JSONValue, _ names: [String]) -> String {
        var table = TextTable(["FIELD", "VALUE"])
        for name in names { table.add([name.replacing("_", with: " "), text(body[name])]) }
        return table.text
    }

    /// What was found of the own pods.
    static func health(_ body: JSONValue) -> String {
        var lines = [
            "\(text(body["healthy"])) of \(text(body["checked"])) pods are healthy; action: \(text(body["action"]))"
                + (body["dry_run"] == true ? " (dry run)" : "")
        ]
        let unhealthy = body["unhealthy"]?.arrayValue ?? []
        if !unhealthy.isEmpty {
            var table = TextTable(["POD", "REASON", "ACTION", "RESULT"])
            for pod in unhealthy { table.add(["pod", "reason", "action", "result"].map { text(pod[$0]) }) }
            lines.append(table.text)
        }
        let budget = body["budget"]
        lines.append("evictions left: \(text(budget?["evictions_left"]))")
        if let next = budget?["next_restart_at"]?.stringValue {
            lines.append("next rolling restart: not before \(ShownTime.text(next))")
        }
        return lines.joined(separator: "\n")
    }

    /// A plain value as a word.
    static func text(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text): text
        case .int(let number): String(number)
        case .bool(let flag): flag ? "yes" : "no"
        default: ""
        }
    }
}

/// `tollgate cluster status`
struct ClusterStatusCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the own Deployment, its pods and who leads.")

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.get, ClusterOutput.path + "/status")
        }
        ClusterOutput.show(answer, target, in: context) { body in
            guard body["in_cluster"] == true else { return "not in a cluster" }
            let fields = ClusterOutput.fields(
                body,
                [
                    "namespace", "pod_name", "deployment_name", "replicas", "ready_replicas", "available_replicas",
                    "updated_replicas", "leader", "leader_identity", "hpa", "deployment_mode", "self_heal",
                    "suspended", "last_reconcile", "last_error",
                ])
            var pods = TextTable(["POD", "PHASE", "READY", "RESTARTS", "VERDICT", "REASON"])
            for pod in body["pods"]?.arrayValue ?? [] {
                pods.add(
                    ["name", "phase", "ready", "restarts", "verdict", "reason"].map { ClusterOutput.text(pod[$0]) })
            }
            return fields + "\n\n" + pods.text
        }
    }
}

/// `tollgate cluster scale`
struct ClusterScaleCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Have so many replicas of Tollgate run.")

    @Argument(help: "Number of replicas.")
    var replicas: Int

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let body: JSONValue = ["replicas": .int(Int64(replicas))]
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, ClusterOutput.path + "/scale", body: body)
        }
        ClusterOutput.show(answer, target, in: context) { ClusterOutput.text($0["message"]) }
    }
}

/// `tollgate cluster health`
struct ClusterHealthCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Have the own pods looked at now, and unhealthy ones replaced within the usual budgets.")

    @Flag(name: .customLong("dry-run"), help: "Only show what would be done.")
    var isDryRun = false

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let query = isDryRun ? [("dry_run", "true")] : []
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, ClusterOutput.path + "/health", query: query)
        }
        ClusterOutput.show(answer, target, in: context, table: ClusterOutput.health)
    }
}

/// `tollgate cluster reconcile`
struct ClusterReconcileCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Have every object and the own Deployment looked at now.")

    @OptionGroup var client: ClientOptions

    func run(in context: CommandContext) async throws {
        let target = try ClientTarget.resolve(client, in: context)
        let answer = try await APIClient.with(target, in: context) {
            try await $0.call(.post, ClusterOutput.path + "/reconcile")
        }
        ClusterOutput.show(answer, target, in: context) { body in
            var kinds = TextTable(["KIND", "TOTAL", "READY", "FAILED"])
            for member in body["kinds"]?.objectValue?.members ?? [] {
                kinds.add(
                    [member.name] + ["total", "ready", "failed"].map { ClusterOutput.text(member.value[$0]) })
            }
            let deployment = body["deployment"]
            let drift = (deployment?["drift"]?.arrayValue ?? []).compactMap(\.stringValue)
            var lines = [kinds.text]
            lines.append(
                "Deployment: mode \(ClusterOutput.text(deployment?["mode"]))"
                    + (drift.isEmpty
                        ? ", as it shall be"
                        : ", \(deployment?["repaired"] == true ? "repaired" : "not repaired"): "
                            + drift.joined(separator: ", ")))
            if let health = body["health"], !health.isNull { lines.append(ClusterOutput.health(health)) }
            return lines.joined(separator: "\n")
        }
    }
}
