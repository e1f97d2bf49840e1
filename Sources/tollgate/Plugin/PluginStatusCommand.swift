// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import KubernetesClient
internal import ResourceModel

/// `kubectl tollgate status`
struct PluginStatusCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show who leads, and which objects of the four kinds are in force.")

    @Flag(name: [.customShort("A"), .long], help: "Of all namespaces.")
    var allNamespaces = false

    @OptionGroup var objects: ObjectOptions
    @OptionGroup var cluster: ClusterOptions

    func run(in context: CommandContext) async throws {
        let format = objects.format(in: context)
        try await ClusterSession.with(cluster, format: format, in: context) { session in
            let namespace = allNamespaces ? nil : objects.namespace ?? session.namespace
            let leader = try await leader(session)
            var items: [JSONValue] = []
            for resource in [APIResource.authConfigs, .serviceTokens, .subscriptions, .toolManifests] {
                items += try await session.all(resource, namespace: namespace)
            }
            guard format == .table else {
                let shown: JSONValue = ["leader": .optional(leader.name), "items": .array(items)]
                return context.output.line(format.text(of: shown))
            }
            context.output.line("Leader: \(leader.name ?? leader.why)\n")
            var table = TextTable(["KIND", "NAMESPACE", "NAME", "READY", "REASON", "MESSAGE"])
            for item in items {
                let ready = ResourceReadiness(item)
                table.add([
                    item["kind"]?.stringValue ?? "", item["metadata"]?["namespace"]?.stringValue ?? "",
                    item["metadata"]?["name"]?.stringValue ?? "", ready.status, ready.reason,
                    ready.status == "True" ? "" : ready.message,
                ])
            }
            context.output.line(table.text)
        }
    }

    /// Who leads, or why that is not known.
    private struct Leader {
        var name: String?
        var why = "nobody"
    }

    /// Whoever may see objects need not be able to read the Lease.
    private func leader(_ session: ClusterSession) async throws -> Leader {
        let reference = APIObjectReference(
            .leases, namespace: cluster.installNamespace, name: cluster.installName)
        switch try await session.look(for: reference) {
        case .missing: return Leader(why: "unknown, there is no \(reference)")
        case .forbidden: return Leader(why: "unknown, \(reference) may not be read")
        case .found(let lease):
            let holder = lease["spec"]?["holderIdentity"]?.stringValue ?? ""
            return holder.isEmpty ? Leader() : Leader(name: holder)
        }
    }
}

/// `kubectl tollgate usage`
struct PluginUsageCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Show what a tenant's Subscriptions say of plan and credits.")

    @Argument(help: "Tenant.")
    var tenant: String

    @OptionGroup var objects: ObjectOptions
    @OptionGroup var cluster: ClusterOptions

    func run(in context: CommandContext) async throws {
        let format = objects.format(in: context)
        try await ClusterSession.with(cluster, format: format, in: context) { session in
            let items = try await session.all(.subscriptions, namespace: objects.namespace)
                .filter { $0["spec"]?["tenant"]?.stringValue == tenant }
            guard !items.isEmpty else {
                throw CommandFailure(
                    .notFound, "no Subscription is for tenant \(tenant)\(objects.namespace.map { " in \($0)" } ?? "")",
                    format: format)
            }
            guard format == .table else {
                return context.output.line(format.text(of: ["items": .array(items)]))
            }
            var table = TextTable([
                "NAMESPACE", "NAME", "PLAN", "STATE", "GRANTED", "USED", "HELD", "REMAINING", "PERIOD END", "READY",
            ])
            for item in items {
                let status = item["status"]
                func number(_ field: String) -> String { status?[field]?.intValue.map { String($0) } ?? "" }
                table.add([
                    item["metadata"]?["namespace"]?.stringValue ?? "", item["metadata"]?["name"]?.stringValue ?? "",
                    status?["plan"]?.stringValue ?? "", status?["state"]?.stringValue ?? "",
                    number("creditsGranted"), number("creditsUsed"), number("creditsHeld"), number("creditsRemaining"),
                    status?["periodEnd"]?.stringValue.map(ShownTime.text) ?? "", ResourceReadiness(item).status,
                ])
            }
            context.output.line(table.text)
        }
    }
}
