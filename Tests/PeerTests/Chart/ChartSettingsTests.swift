// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// A real daemon with the environment that the chart makes of values: a setting that it cannot read would end it at once.
@Suite(.timeLimit(.minutes(20))) struct ChartSettingsTests {
    private static let rules = """
        version: 1
        rules:
          - name: endpoint-down
            match: {alertname: TcpEndpointDownFast}
            action: {type: delete-pod, target: {kind: Pod, namespace: crm, name: "${labels.pod}"}}

        """

    /// Healing and looking after itself, in every shape that the values have.
    private static let values: [JSONValue] = [
        [
            "autoheal": [
                "enabled": true, "dryRun": false, "rules": .string(rules), "existingSecret": "h",
                "namespaces": ["crm", "acme"], "alertmanagerUrl": "http://127.0.0.1:9093",
            ]
        ],
        [
            "autoheal": ["enabled": true], "postgresql": ["existingSecret": "p"],
            "selfManagement": [
                "heal": "dry-run", "deploymentMode": "own", "scale": ["min": 2, "max": 6],
                "autoscale": ["mode": "rps", "targetRps": 50],
            ],
        ],
        [
            "selfManagement": ["heal": false, "deploymentMode": "off", "autoscale": ["mode": "cpu", "targetCpu": 60]],
            "postgresql": ["existingSecret": "p"],
        ],
        ["selfManagement": ["enabled": false]],
    ]

    @Test(arguments: values.indices)
    func theDaemonTakesThem(index: Int) async throws {
        let chart = try await HelmEngine.rendered(Self.values[index])
        let folder = try TemporaryDirectory()
        var settings: [String: String] = [:]
        for (name, value) in try chart.environment()
        where name.hasPrefix("AUTOHEAL_") || name.hasPrefix("ALERTMANAGER_") || Self.isAboutItself(name) {
            settings[name] = value
        }
        if settings["AUTOHEAL_RULES_FILE"] != nil {
            let data = try chart.object("ConfigMap", "tollgate-autoheal")["data"]
            settings["AUTOHEAL_RULES_FILE"] = try folder.write(data?["rules.yaml"]?.stringValue ?? "", to: "rules.yaml")
        }
        if settings["AUTOHEAL_WEBHOOK_TOKEN"] != nil { settings["AUTOHEAL_WEBHOOK_TOKEN"] = "a-token-of-the-webhook" }
        #expect(settings.count >= 6)
        if Self.values[index]["postgresql"] != nil {
            let database = try await PostgreSQLServer.shared().makeDatabase()
            try await DatabaseSupport.migrate(database)
            settings["TOLLGATE_DATABASE_URL"] = database.url
        }
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests, settings: settings)
        // Ready, which it is not where a setting is at fault.
        try await daemon.running { process in #expect(process.exitStatus == nil) }
    }

    private static func isAboutItself(_ name: String) -> Bool {
        ["SELF_HEAL", "DEPLOYMENT", "SCALE", "AUTOSCALE"].contains { name.hasPrefix("TOLLGATE_\($0)") }
    }
}
