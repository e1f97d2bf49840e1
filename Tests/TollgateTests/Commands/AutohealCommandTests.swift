// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Healing
internal import Logging
internal import Metrics
internal import SelfManagement
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct AutohealCommandTests {
    private static let rules = """
        version: 1
        rules:
          - name: stale
            match: {alertname: ScrapeStale}
            action: {type: rollout-restart, target: {kind: Deployment, namespace: crm, name: api}}
          - name: down
            match: {alertname: [Down, Gone]}
            action: {type: delete-pod, target: {kind: Pod, namespace: "${labels.namespace}", name: "${labels.pod}"}}
        """
    private static let prometheus = """
        groups:
          - name: g
            rules:
              - {record: x, expr: y}
              - {alert: ScrapeStale, expr: x, annotations: {autoheal: "true"}}
              - {alert: Down, expr: x, labels: {severity: critical}}
        """

    @Test func lintAcceptsGoodRules() async throws {
        try await withHome { home in
            try put(Self.rules, at: home + "/rules.yaml")
            let good = await run(["autoheal", "lint", "-f", home + "/rules.yaml"], home: home)
            #expect(good.status == 0 && good.output == "2 rules are valid\n", "\(good)")
        }
    }

    @Test func lintNamesAlertsThatNeverCome() async throws {
        try await withHome { home in
            try put(Self.rules, at: home + "/rules.yaml")
            try put(Self.prometheus, at: home + "/alerts.yaml")
            let bad = await run(
                ["autoheal", "lint", "-f", home + "/rules.yaml", "--prometheus-rules", home + "/alerts.yaml"],
                home: home)
            #expect(bad.status == 1 && bad.errors.contains("2 problems"))
            #expect(
                bad.output == """
                    \(home)/rules.yaml:7: rules[1].match.alertname[0]: alert Down never opts in: give it the label or annotation autoheal: "true"
                    \(home)/rules.yaml:7: rules[1].match.alertname[1]: alert Gone is not defined in \(home)/alerts.yaml

                    """)
        }
    }

    @Test func lintNamesLineAndField() async throws {
        try await withHome { home in
            try put(
                Self.rules.replacing("rollout-restart", with: "reboot").replacing("version: 1", with: "version: 2"),
                at: home + "/rules.yaml")
            let bad = await run(["autoheal", "lint", "-f", home + "/rules.yaml"], home: home)
            #expect(bad.status == 1)
            #expect(
                bad.output == """
                    \(home)/rules.yaml:1: version: expected 1
                    \(home)/rules.yaml:5: rules[0].action.type: expected one of rollout-restart, scale, delete-pod, cordon, notify, none

                    """)
            try put("version: [", at: home + "/rules.yaml")
            let broken = await run(["autoheal", "lint", "-f", home + "/rules.yaml"], home: home)
            #expect(broken.status == 1)
            #expect(broken.output.hasPrefix("\(home)/rules.yaml:2: this is no YAML"), "\(broken.output)")
        }
    }

    @Test func simulateShowsDecisions() async throws {
        try await withHome { home in
            try put(Self.rules, at: home + "/rules.yaml")
            func alert(_ labels: String, optsIn: Bool = true, id: String) -> String {
                """
                {"status":"firing","labels":{\(labels)},"annotations":{"autoheal":"\(optsIn)"},"fingerprint":"\(id)"}
                """
            }
            let alerts = [
                alert(#""alertname":"ScrapeStale""#, id: "f1"), alert(#""alertname":"ScrapeStale","a":"b""#, id: "f2"),
                alert(#""alertname":"Down","namespace":"other","pod":"p""#, id: "f3"),
                alert(#""alertname":"Down","namespace":"crm","pod":"p""#, optsIn: false, id: "f4"),
            ]
            try put(
                #"{"version":"4","status":"firing","alerts":[\#(alerts.joined(separator: ","))]}"#, at: home + "/p.json"
            )
            let result = await run(
                ["autoheal", "simulate", "-f", home + "/rules.yaml", home + "/p.json"], home: home,
                environment: ["AUTOHEAL_NAMESPACES": "crm"])
            #expect(result.status == 0, "\(result.errors)")
            #expect(
                result.output == """
                    ScrapeStale f1: act: rollout-restart deployment/crm/api (rule stale)
                    ScrapeStale f2: skip: cooldown (rule stale), 600 s left
                    Down f3: skip: bad_target (rule down)
                    Down f4: skip: not_annotated

                    """)
            try put("{}", at: home + "/p.json")
            let bad = await run(["autoheal", "simulate", "-f", home + "/rules.yaml", home + "/p.json"], home: home)
            #expect(bad.status == 1 && bad.errors.contains("healing.bad_payload: version is missing or not a text"))
        }
    }

    /// A broken file leaves the last good rules in force; one that is mended is in force again.
    @Test func followsTheRulesFile() async throws {
        try await withHome { home in
            let file = home + "/rules.yaml"
            try put(Self.rules, at: file)
            let book = RulesBook(try RulesFile.load(file))
            let follower = RulesFileFollower(
                file: file, book: book, metrics: HealingMetrics(factory: NOOPMetricsHandler.instance),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            await follower.look()
            #expect(book.rules.rules.count == 2 && book.problem == nil)
            try put("version: 3", at: file)
            await follower.look()
            #expect(book.rules.rules.count == 2)
            #expect(book.problem == "\(file):1: version: expected 1")
            try put("version: 1\nrules: []", at: file)
            await follower.look()
            #expect(book.rules.rules.isEmpty && book.problem == nil)
            try FileManager.default.removeItem(atPath: file)
            await follower.look()
            #expect(book.problem == "\(file): there is no such file")
        }
    }
}
