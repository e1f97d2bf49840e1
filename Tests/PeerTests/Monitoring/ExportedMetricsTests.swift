// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// Every metric, label and label value that rules and dashboard name is exported by a real daemon.
@Suite(.timeLimit(.minutes(20))) struct ExportedMetricsTests {
    /// What Prometheus makes itself.
    private static let own: [String: Set<String>] = ["up": [], "ALERTS": ["alertname", "alertstate", "severity"]]
    /// What Prometheus gives to every series.
    private static let given: Set = ["job", "instance"]
    /// What a daemon exports that looks after its own Deployment, as only one in a cluster does.
    private static let inCluster = ["tollgate_self_", "tollgate_replicas"]

    @Test func everythingThatIsNamedIsExported() async throws {
        var exported = ExportedSeries()
        try exported.add(await Self.standalone())
        try exported.add(await Self.inCluster())
        let rules = try MonitoringFiles.rules()
        // What a rule records has the labels that its expression leaves.
        var recorded: [String: Set<String>] = [:]
        for rule in rules {
            guard let name = rule.record else { continue }
            let names = try PromQLNames(rule.expression)
            recorded[name] = names.selectors.reduce(names.groupings) { $0.union(exported.labels(of: $1.metric)) }
        }
        for rule in rules {
            let place = rule.record ?? rule.alert ?? ""
            #expect(try Self.missing(rule.expression, "", exported, recorded) == [], "\(place)")
        }
        for entry in MonitoringFiles.expressions(try MonitoringFiles.dashboard()) {
            #expect(
                try Self.missing(entry.expression, entry.legend, exported, recorded) == [], "\(entry.place)")
        }
    }

    @Test func notesWhatIsMissing() throws {
        var exported = ExportedSeries()
        try exported.add("# TYPE a_total counter\na_total{x=\"1\",y=\"}\"} 5\na_total{x=\"2\"} 0\nb 3e-07\n")
        let recorded: [String: Set<String>] = ["r:x": ["x"]]
        for (expression, legend, missing) in [
            ("sum by (x) (rate(a_total{x=\"1\",y=~\".\"}[5m])) + b", "{{x}} {{instance}}", []),
            ("r:x{x=\"9\"} and up{job=\"tollgate\"}", "{{ x }}", []), ("c", "", ["c"]), ("r:y", "", ["r:y"]),
            ("a_total{z=\"1\"}", "", ["a_total{z}"]), ("a_total{x=\"3\"}", "", ["a_total{x=\"3\"}"]),
            ("a_total{x!=\"3\"}", "", []), ("sum by (z) (a_total)", "", ["by z"]), ("b", "{{x}}", ["{{x}}"]),
            ("up{x=\"1\"}", "", ["up{x}"]),
        ] as [(String, String, [String])] {
            #expect(try Self.missing(expression, legend, exported, recorded) == missing)
        }
    }

    /// What an expression and the names of its series ask for that is not there.
    private static func missing(
        _ expression: String, _ legend: String, _ exported: ExportedSeries, _ recorded: [String: Set<String>]
    ) throws -> [String] {
        let names = try PromQLNames(expression)
        var missing: [String] = []
        var labels = given
        for selector in names.selectors {
            let name = selector.metric
            let isClusterOnly = inCluster.contains { name.hasPrefix($0) } && !exported.names.contains(name)
            guard
                let known = recorded[name] ?? own[name]
                    ?? (exported.names.contains(name) ? exported.labels(of: name) : nil)
            else {
                if !isClusterOnly { missing.append(name) }
                // What it would have cannot be known.
                labels.formUnion(names.groupings)
                labels.formUnion(placeholders(legend))
                continue
            }
            labels.formUnion(known)
            for matcher in selector.matchers where !given.contains(matcher.label) {
                if !known.contains(matcher.label) {
                    missing.append("\(name){\(matcher.label)}")
                } else if matcher.sign == "=", exported.names.contains(name),
                    !exported.has(name, matcher.label, matcher.value)
                {
                    missing.append("\(name){\(matcher.label)=\"\(matcher.value)\"}")
                }
            }
        }
        missing += names.groupings.subtracting(labels).sorted().map { "by \($0)" }
        missing += placeholders(legend).subtracting(labels).sorted().map { "{{\($0)}}" }
        return missing
    }

    private static func placeholders(_ legend: String) -> Set<String> {
        Set(legend.matches(of: /\{\{ *([A-Za-z_]+) *\}\}/).map { String($0.1) })
    }

    /// The metrics of a daemon on files that has answered one question of each sort.
    private static func standalone() async throws -> String {
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests)
        return try await daemon.running { _ in
            let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
            _ = try await daemon.decide(host: ProxyContract.host, path: "/reports/1", token: token)
            return try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort).text
        }
    }

    /// The metrics of a daemon in a cluster that leads.
    private static func inCluster() async throws -> String {
        let folder = try TemporaryDirectory()
        return try await ControlPlane.with { plane in
            _ = try await HelmEngine.ask([
                [
                    "do": "install", "chart": .string(HelmEngine.chart), "name": "tollgate", "values": [:],
                    "namespace": "tollgate-system", "kubeconfig": .string(plane.kubeconfig),
                ]
            ])[0].value()
            try await plane.kubectlOutput(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"])
            let (port, probePort) = (try FreePort.next(), try FreePort.next())
            return try await PeerProcess.with(
                name: "tollgate", executable: PeerPaths.tollgate(),
                arguments: ["run", "--kubeconfig", plane.kubeconfig],
                environment: [
                    "TOLLGATE_LISTEN": "127.0.0.1:\(port)", "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)",
                    "TOLLGATE_DATA_DIR": folder.path("data"), "TOLLGATE_DRAIN_DELAY": "0s",
                    "TOLLGATE_LOG_FORMAT": "text", "TOLLGATE_DEPLOYMENT": "tollgate", "POD_NAME": "tollgate-0",
                    "POD_NAMESPACE": "tollgate-system", "POD_IP": "127.0.0.1",
                ], folder: folder
            ) { process in
                try await process.wait(forStatus: 200, of: "/readyz", port: probePort, within: .seconds(180))
                var text = ""
                try await process.wait(for: "the Lease") {
                    text = try await PlainHTTP.send("GET", "/metrics", port: probePort).text
                    // Who does not lead yet has no pass behind it, and is no reason for an alert.
                    #expect(!text.contains("autoheal_heartbeat_timestamp_seconds 0\n"))
                    return text.split(separator: "\n").contains {
                        $0.hasPrefix("leader_election_master_status{") && $0.hasSuffix(" 1")
                    }
                }
                return text
            }
        }
    }
}
