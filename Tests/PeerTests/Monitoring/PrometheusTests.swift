// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// A real Prometheus that scrapes a real daemon and works out the shipped rules.
@Suite(.timeLimit(.minutes(20))) struct PrometheusTests {
    /// What gives no sample, as nobody was healed.
    private static let withoutActions = ["autoheal:action_success:ratio_1h", "autoheal:action_success:ratio_30d"]

    /// The shipped rules, in which alerts wait for a second where they would wait for minutes.
    private static func hastyRules() throws -> String {
        try MonitoringFiles.text(MonitoringFiles.rulesPath).replacing(/for: [1-9][0-9]*m/, with: "for: 1s")
    }

    @Test func worksOutTheRulesOnLiveData() async throws {
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests)
        try await PrometheusServer.with(scraping: daemon.probePort, rules: Self.hastyRules()) { prometheus in
            try await daemon.running { _ in
                try await Self.seesTheDaemon(prometheus, daemon)
            }
            // It is gone: that is told.
            try await prometheus.process.wait(for: "the alert to fire", within: .seconds(300)) {
                try await prometheus.query(#"ALERTS{alertname="AutohealServiceDown",alertstate="firing"}"#).count == 1
            }
            let alerts = try await prometheus.ask("alerts")["alerts"]?.arrayValue ?? []
            let down = alerts.first { $0["labels"]?["alertname"] == "AutohealServiceDown" }
            #expect(down?["state"] == "firing" && down?["labels"]?["severity"] == "critical")
            #expect(down?["annotations"]?["summary"] == "No replica of Tollgate is scraped.")
        }
    }

    private static func seesTheDaemon(_ prometheus: PrometheusServer, _ daemon: TollgateDaemon) async throws {
        try await prometheus.process.wait(for: "the target to be up", within: .seconds(300)) {
            let targets = try await prometheus.ask("targets?state=active")["activeTargets"]?.arrayValue ?? []
            return targets.map { $0["health"]?.stringValue } == ["up"]
        }
        let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
        let wanted = try MonitoringFiles.rules().compactMap(\.record).filter { !withoutActions.contains($0) }
        try await prometheus.process.wait(for: "samples of every recording rule", within: .seconds(300)) {
            _ = try await daemon.decide(host: ProxyContract.host, path: "/reports/1", token: token)
            let recorded = try await prometheus.query(#"{__name__=~"(autoheal|tollgate):.+"}"#)
                .compactMap { $0.labels["__name__"]?.stringValue }
            return Set(wanted).isSubset(of: recorded)
        }
        let rules = try await prometheus.ask("rules")["groups"]?.arrayValue?.flatMap { $0["rules"]?.arrayValue ?? [] }
        #expect(rules?.count == 22)
        for rule in rules ?? [] {
            #expect(rule["health"] == "ok", "\(rule["name"]?.jsonText ?? ""): \(rule["lastError"]?.jsonText ?? "")")
        }
        // Nothing but good answers, quickly written, and nothing to complain of.
        #expect(try await prometheus.query("tollgate:availability:ratio_30d").map(\.value) == [1])
        for name in withoutActions { #expect(try await prometheus.query(name).isEmpty) }
        let route = #"tollgate_http_requests_total{route="/v1/decisions",method="POST",code="200"} > 0"#
        #expect(try await prometheus.query(route).count == 1)
        // How quickly a busy machine writes is no matter of this test.
        let firing = try await prometheus.query(#"ALERTS{alertstate="firing",alertname!="AutohealAuditWriteLatency"}"#)
        #expect(firing.map { $0.labels["alertname"]?.stringValue } == [])
    }
}
