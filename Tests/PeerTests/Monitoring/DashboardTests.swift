// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The dashboard as Grafana would read it.
@Suite(.timeLimit(.minutes(20))) struct DashboardTests {
    @Test func hasTheRowsThatArePromised() throws {
        let dashboard = try MonitoringFiles.dashboard()
        #expect(dashboard["uid"] == "TOLLGATE_HEALING")
        let rows = MonitoringFiles.panels(dashboard).filter { $0["type"] == "row" }
        #expect(
            rows.compactMap { $0["title"]?.stringValue } == [
                "State", "Actions by result", "Skips by reason", "Cooldowns",
                "Success and availability against their objectives", "Audit latency", "Webhook codes",
                "Leader and replicas",
            ])
    }

    @Test func hasNoTwoPanelsInOnePlace() throws {
        let panels = MonitoringFiles.panels(try MonitoringFiles.dashboard())
        let ids = panels.compactMap { $0["id"]?.intValue }
        #expect(ids.count == panels.count && Set(ids).count == ids.count)
        var taken: [Int64: Int64] = [:]
        for panel in panels {
            let place = { (name: String) in panel["gridPos"]?[name]?.intValue ?? -1 }
            #expect(place("x") >= 0 && place("y") >= 0 && place("w") > 0 && place("h") > 0)
            #expect(place("x") + place("w") <= 24, "a dashboard is 24 wide")
            for y in place("y")..<place("y") + place("h") {
                for x in place("x")..<place("x") + place("w") {
                    let other = taken.updateValue(panel["id"]?.intValue ?? 0, forKey: y * 24 + x)
                    #expect(other == nil, "panels \(other ?? 0) and \(panel["id"]?.intValue ?? 0)")
                }
            }
        }
    }

    @Test func takesItsDataFromWhatTheReaderChooses() throws {
        let dashboard = try MonitoringFiles.dashboard()
        let variables = dashboard["templating"]?["list"]?.arrayValue ?? []
        #expect(variables.map { $0["name"]?.stringValue } == ["datasource"])
        #expect(variables.first?["type"] == "datasource" && variables.first?["query"] == "prometheus")
        let wanted: JSONValue = ["type": "prometheus", "uid": "${datasource}"]
        for panel in MonitoringFiles.panels(dashboard) where panel["type"] != "row" && panel["type"] != "text" {
            #expect(panel["datasource"] == wanted)
            let targets = panel["targets"]?.arrayValue ?? []
            #expect(!targets.isEmpty && targets.allSatisfy { $0["datasource"] == wanted })
            #expect(Set(targets.compactMap { $0["refId"]?.stringValue }).count == targets.count)
        }
    }

    @Test func showsTheObjectives() throws {
        let panels = MonitoringFiles.panels(try MonitoringFiles.dashboard())
        let objectives = [
            ("tollgate:availability:ratio_30d", "0.999"), ("autoheal:action_success:ratio_30d", "0.95"),
            ("autoheal:audit_write:p95_5m", "0.2"),
        ]
        for (expression, value) in objectives {
            let tile = try #require(
                panels.first {
                    $0["type"] == "stat" && $0["targets"]?.arrayValue?.first?["expr"]?.stringValue == expression
                })
            let steps = tile["fieldConfig"]?["defaults"]?["thresholds"]?["steps"]?.arrayValue ?? []
            #expect(steps.last?["value"]?.jsonText == value)
        }
        let text = panels.filter { $0["type"] == "text" }.compactMap { $0["options"]?["content"]?.stringValue }.joined()
        #expect(text.contains("14 days of audit") && text.contains("tollgate check api"))
    }

    @Test func prometheusReadsEveryExpression() async throws {
        let folder = try TemporaryDirectory()
        let expressions = MonitoringFiles.expressions(try MonitoringFiles.dashboard())
        #expect(expressions.count > 40)
        let rules: [JSONValue] = expressions.enumerated().map { index, entry in
            #expect(!entry.expression.isEmpty, "\(entry.place)")
            return ["record": .string("panel:\(index)"), "expr": .string(entry.expression)]
        }
        let file: JSONValue = ["groups": [["name": "dashboard", "rules": .array(rules)]]]
        let (status, output) = try await MonitoringFiles.run(
            .promtool, ["check", "rules", folder.write(file.jsonText, to: "dashboard.yaml")], folder: folder)
        #expect(status == 0, "\(output)")
    }

    /// Grafana takes neither two dashboards of one uid nor two of one title.
    @Test func oldLinksFindTheSame() async throws {
        let chart = try await HelmEngine.rendered(ChartValues.monitoring)
        let data = try chart.object("ConfigMap", "tollgate-dashboards")["data"]
        let shipped = try JSONParser.parse(text: data?["tollgate-healing.json"]?.stringValue ?? "")
        #expect(try shipped == MonitoringFiles.dashboard())
        var old = try JSONParser.parse(text: data?["aetherlink-autoheal.json"]?.stringValue ?? "").objectValue ?? [:]
        #expect(old["uid"] == "AETHERLINK_AUTOHEAL")
        #expect(old["title"] == "Tollgate: healing (old links)")
        old["uid"] = shipped["uid"]
        old["title"] = shipped["title"]
        #expect(JSONValue.object(old) == shipped)
        let plain = try await HelmEngine.rendered(["grafana": ["enabled": true]])
        #expect(try plain.object("ConfigMap", "tollgate-dashboards")["data"]?.objectValue?.members.count == 1)
    }
}
