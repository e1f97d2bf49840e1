// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The rules as they are promised, by themselves and in the eyes of Prometheus' own tools.
@Suite(.timeLimit(.minutes(20))) struct MonitoringRulesTests {
    private static func success(_ range: String) -> String {
        #"sum(increase(autoheal_actions_total{result="executed"}[\#(range)])) / "#
            + #"(sum(increase(autoheal_actions_total{result!="dry_run",result!="cooldown_skip"}[\#(range)])) > 0)"#
    }

    private static func availability(_ range: String) -> String {
        #"sum(rate(tollgate_http_requests_total{code!~"5.."}[\#(range)])) / "#
            + "(sum(rate(tollgate_http_requests_total[\(range)])) > 0)"
    }

    private static func burn(_ factor: String, _ long: String, _ short: String) -> String {
        "(1 - tollgate:availability:ratio_\(long)) > \(factor) * 0.001 and "
            + "(1 - tollgate:availability:ratio_\(short)) > \(factor) * 0.001"
    }

    private static let records: [String: String] = [
        "autoheal:cooldown_active": "autoheal_cooldown_remaining_seconds > bool 0",
        "autoheal:actions:rate_5m": "sum by (result) (rate(autoheal_actions_total[5m]))",
        "autoheal:heartbeat:age_seconds": "time() - max(autoheal_heartbeat_timestamp_seconds)",
        "autoheal:action_fail_rate_15m": "sum(rate(autoheal_action_failures_total[15m]))",
        "autoheal:action_success:ratio_1h": success("1h"), "autoheal:action_success:ratio_30d": success("30d"),
        "autoheal:audit_write:p95_5m":
            "histogram_quantile(0.95, sum by (le) (rate(autoheal_audit_write_seconds_bucket[5m])))",
        "tollgate:availability:ratio_5m": availability("5m"), "tollgate:availability:ratio_30m": availability("30m"),
        "tollgate:availability:ratio_1h": availability("1h"), "tollgate:availability:ratio_6h": availability("6h"),
        "tollgate:availability:ratio_30d": availability("30d"),
    ]

    /// Condition, time that it has to last, severity.
    private static let alerts: [String: [String]] = [
        "AutohealServiceDown": [#"absent(up{job="tollgate"} == 1)"#, "2m", "critical"],
        "AutohealHeartbeatSLOBreach": ["autoheal:heartbeat:age_seconds > 300", "10m", "warning"],
        "AutohealNoHeartbeat15m": ["autoheal:heartbeat:age_seconds > 900", "0m", "critical"],
        "AutohealFailureRateSLOBreach": ["autoheal:action_success:ratio_1h < 0.95", "15m", "critical"],
        "AutohealActionFailureSpike": ["sum(increase(autoheal_action_failures_total[15m])) > 3", "5m", "warning"],
        "AutohealAuditWriteLatency": ["autoheal:audit_write:p95_5m > 0.2", "10m", "warning"],
        "AutohealHalted": ["max(autoheal_halted) == 1", "1m", "warning"],
        "AutohealRulesInvalid": ["increase(autoheal_rules_reload_failures_total[15m]) > 0", "1m", "warning"],
        "TollgateErrorBudgetBurnFast": [burn("14.4", "1h", "5m"), "2m", "critical"],
        "TollgateErrorBudgetBurnSlow": [burn("6", "6h", "30m"), "15m", "warning"],
    ]

    @Test func recordWhatIsPromised() throws {
        let rules = try MonitoringFiles.rules().filter { $0.record != nil }
        #expect(rules.count == Self.records.count)
        for rule in rules {
            #expect(rule.expression == Self.records[rule.record ?? ""], "\(rule.record ?? "")")
            #expect(rule.interval == "15s", "\(rule.record ?? "")")
        }
    }

    @Test func alertWhenIsPromised() throws {
        let rules = try MonitoringFiles.rules().filter { $0.alert != nil }
        #expect(rules.count == Self.alerts.count)
        for rule in rules {
            let name = rule.alert ?? ""
            let found = [rule.expression, rule.hold ?? "", rule.labels["severity"] ?? ""]
            #expect(found == Self.alerts[name], "\(name)")
            #expect(rule.labels.count == 1, "\(name): what acts on alerts must never act on these")
            #expect(rule.annotations.keys.sorted() == ["description", "summary"], "\(name)")
        }
    }

    @Test func promtoolAcceptsThem() async throws {
        let plain = MonitoringFiles.path("manifests/monitoring/prometheus/tollgate-rules.yaml")
        let (status, output) = try await MonitoringFiles.run(
            .promtool, ["check", "rules", "--lint-fatal", MonitoringFiles.rulesPath, plain])
        #expect(status == 0, "\(output)")
        #expect(output.contains("22 rules found"))
    }

    @Test(arguments: ["recording", "alerts", "objectives"])
    func doWhatTheirTestsSay(name: String) async throws {
        let (status, output) = try await MonitoringFiles.run(
            .promtool, ["test", "rules", MonitoringFiles.path("Tests/Monitoring/\(name).test.yaml")])
        #expect(status == 0, "\(output)")
    }

    @Test func everyAlertHasATestOfFiringAndOfSilence() throws {
        let tests = try YAMLText.json(MonitoringFiles.text(MonitoringFiles.path("Tests/Monitoring/alerts.test.yaml")))
        let groups = tests["tests"]?.arrayValue ?? []
        let asked = groups.flatMap { $0["promql_expr_test"]?.arrayValue ?? [] }
        let samples: [String] = asked.flatMap { $0["exp_samples"]?.arrayValue ?? [] }
            .compactMap { $0["labels"]?.stringValue }
        let alerts: [String] = groups.flatMap { $0["alert_rule_test"]?.arrayValue ?? [] }
            .filter { $0["exp_alerts"]?.arrayValue?.isEmpty == false }.compactMap { $0["alertname"]?.stringValue }
        for name in Self.alerts.keys {
            let fires = samples.contains { $0.contains("\"\(name)\"") && $0.contains("\"firing\"") }
            #expect(fires || alerts.contains(name), "\(name)")
        }
        // `ALERTS` without any sample: all of them are silent.
        let silent = asked.filter { $0["expr"]?.stringValue == "ALERTS" && $0["exp_samples"] == nil }
        #expect(silent.count >= 10)
    }

    @Test func theExampleForPrometheusIsOne() async throws {
        let path = MonitoringFiles.path("manifests/monitoring/prometheus/prometheus.yml")
        let (status, output) = try await MonitoringFiles.run(.promtool, ["check", "config", path])
        #expect(status == 0, "\(output)")
        let jobs = try YAMLText.json(MonitoringFiles.text(path))["scrape_configs"]?.arrayValue ?? []
        #expect(jobs.map { $0["job_name"]?.stringValue } == ["tollgate"])
        // What it looks for is there.
        let service = try YAMLText.documents(
            MonitoringFiles.text(MonitoringFiles.path("manifests/monitoring/service.yaml")))
        let name = service.first?["metadata"]?["name"]?.stringValue ?? ""
        let space = service.first?["metadata"]?["namespace"]?.stringValue ?? ""
        let discovery = jobs.first?["dns_sd_configs"]?.arrayValue?.first
        #expect(discovery?["names"] == .strings(["\(name).\(space).svc"]))
        #expect(discovery?["port"] == service.first?["spec"]?["ports"]?.arrayValue?.first?["port"])
    }

    @Test func theExampleForAlertmanagerSuitsHealing() async throws {
        let path = MonitoringFiles.path("manifests/monitoring/prometheus/alertmanager.yml")
        let (status, output) = try await MonitoringFiles.run(.amtool, ["check-config", path])
        #expect(status == 0, "\(output)")
        let file = try YAMLText.json(MonitoringFiles.text(path))
        let receiver = file["receivers"]?.arrayValue?.first { $0["name"] == "tollgate" }
        let hook = receiver?["webhook_configs"]?.arrayValue?.first
        #expect(hook?["url"] == "http://tollgate.tollgate-system.svc/alert")
        #expect(hook?["send_resolved"] == true)
        #expect(hook?["max_alerts"] == 1000)
        let credentials = hook?["http_config"]?["authorization"]?["credentials_file"]?.stringValue
        #expect(credentials?.hasSuffix("/webhookToken") == true)
        let routes = file["route"]?["routes"]?.arrayValue ?? []
        #expect(routes.map { $0["receiver"]?.stringValue } == ["tollgate", "people"])
        #expect(routes.first?["continue"] == true)
        // Told again only when the cooldown is over: see which routes this leads to.
        for (labels, receivers) in [
            (["alertname=Down", "autoheal=true"], "tollgate,people"), (["alertname=Down"], "people"),
        ] {
            let (status, output) = try await MonitoringFiles.run(
                .amtool, ["config", "routes", "test", "--config.file=\(path)"] + labels)
            #expect(status == 0)
            #expect(output.split(separator: "\n").contains(Substring(receivers)), "\(output)")
        }
    }
}
