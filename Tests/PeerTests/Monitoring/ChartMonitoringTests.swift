// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// How what the chart gives to Prometheus fits together.
@Suite(.timeLimit(.minutes(20))) struct ChartMonitoringTests {
    @Test func prometheusFindsTheProbePortOfEveryPod() async throws {
        let chart = try await HelmEngine.rendered(ChartValues.monitoring)
        let monitor = try chart.object("ServiceMonitor")
        let service = try chart.object("Service", "tollgate-metrics")
        let wanted = monitor["spec"]?["selector"]?["matchLabels"]?.objectValue?.members ?? []
        let labels = service["metadata"]?["labels"]
        #expect(!wanted.isEmpty && wanted.allSatisfy { labels?[$0.name] == $0.value })
        // Not the Service of the API, which has no such port.
        let other = try chart.object("Service")["metadata"]?["labels"]
        #expect(!wanted.allSatisfy { other?[$0.name] == $0.value })
        let endpoints = monitor["spec"]?["endpoints"]?.arrayValue ?? []
        #expect(endpoints.map { $0["path"] } == ["/metrics"])
        #expect(service["spec"]?["publishNotReadyAddresses"] == true && service["spec"]?["clusterIP"] == "None")
        let port = service["spec"]?["ports"]?.arrayValue?.first { $0["name"] == endpoints.first?["port"] }
        let container = chart.pods.first { $0.name == "tollgate" }?.spec["containers"]?.arrayValue?.first
        let ports = container?["ports"]?.arrayValue ?? []
        let target = ports.first { $0["name"] == port?["targetPort"] }
        #expect(target?["containerPort"] == 8081 && port?["port"] == 8081)
        let environment = try chart.environment()
        #expect(environment["TOLLGATE_PROBE_LISTEN"]?.hasSuffix(":8081") == true)
        // The rules ask for the job by this name.
        let label = monitor["spec"]?["jobLabel"]?.stringValue ?? ""
        #expect(labels?[label] == "tollgate")
        // And it may come there, from namespaces that say so.
        let rules = try chart.object("NetworkPolicy")["spec"]?["ingress"]?.arrayValue ?? []
        let open = rules.filter { rule in
            rule["ports"]?.arrayValue?.contains { $0["port"] == "probe" } == true
                && rule["from"]?.arrayValue?.contains { $0["namespaceSelector"] != nil } == true
        }
        let from: JSONValue = [["namespaceSelector": ["matchLabels": ["tollgate.dev/metrics-access": "true"]]]]
        #expect(open.map { $0["from"] } == [from])
    }

    @Test func alertmanagerFindsTheAPI() async throws {
        let chart = try await HelmEngine.rendered(ChartValues.healing)
        let ports = try chart.object("Service")["spec"]?["ports"]?.arrayValue ?? []
        #expect(ports.first { $0["targetPort"] == "api" }?["port"] == 80, "the example names no port")
        // The key of the Secret is the name of the file that the example reads.
        #expect(try chart.environment()["AUTOHEAL_WEBHOOK_TOKEN"] == "secret:tollgate-autoheal/webhookToken")
    }

    @Test func theRulesAreThoseOfTheFile() async throws {
        let chart = try await HelmEngine.rendered(ChartValues.monitoring)
        let file = try YAMLText.json(MonitoringFiles.text(MonitoringFiles.rulesPath))
        let rule = try chart.object("PrometheusRule")
        #expect(rule["spec"] == file)
        #expect(rule["metadata"]?["labels"]?["release"] == "prometheus")
        #expect(try chart.object("ServiceMonitor")["metadata"]?["labels"]?["release"] == "prometheus")
        let none = try await HelmEngine.rendered()
        for kind in ["ServiceMonitor", "PrometheusRule"] { #expect(none.all(kind).isEmpty) }
        #expect(none.all("Service").count == 1)
    }
}
