// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The chart and the manifests on a real API server. Nothing schedules pods there: what runs in them is tested elsewhere.
@Suite(.timeLimit(.minutes(30))) struct ChartInstallTests {
    private static func helm(
        _ act: String, _ plane: ControlPlane, _ values: JSONValue = [:], name: String = "tollgate"
    ) -> JSONValue {
        [
            "do": .string(act), "chart": .string(HelmEngine.chart), "name": .string(name), "values": values,
            "namespace": "tollgate-system", "kubeconfig": .string(plane.kubeconfig),
        ]
    }

    private static func json(_ plane: ControlPlane, _ arguments: String...) async throws -> JSONValue {
        let output = try await plane.kubectlOutput(["get", "-o", "json"] + arguments)
        // Warnings of kubectl about versions come first.
        guard let start = output.firstIndex(of: "{") else { throw PeerFault(message: output) }
        return try JSONParser.parse(text: String(output[start...]))
    }

    private static let crds = [
        "authconfigs.tollgate.dev", "servicetokens.tollgate.dev", "subscriptions.tollgate.dev",
        "toolmanifests.tollgate.dev",
    ]

    @Test func installUpgradeUninstall() async throws {
        try await ControlPlane.with { plane in
            let installed = try await HelmEngine.ask([Self.helm("install", plane)])[0].value()
            #expect(installed["manifest"]?.stringValue?.isEmpty == false || installed["status"] != nil)
            try await plane.kubectlOutput(
                ["wait", "--for=condition=Established", "--timeout=120s"] + Self.crds.map { "crd/\($0)" })
            let first = try await Self.json(plane, "-n", "tollgate-system", "deployment", "tollgate")
            #expect(first["spec"]?["replicas"] == 1)

            // The rights, as the API server answers about them.
            let account = "--as=system:serviceaccount:tollgate-system:tollgate"
            for (question, answer) in [
                ("patch servicetokens --subresource=status", true), ("list secrets", true), ("create leases", true),
                ("update leases/tollgate", true), ("update leases/other", false), ("patch authconfigs", false),
                ("delete deployments", false), ("create pods --subresource=exec", false), ("list nodes", false),
                ("create tokenreviews", false), ("impersonate users", false),
            ] {
                let words = question.split(separator: " ").map(String.init)
                let (status, output) = try await plane.kubectl(
                    ["auth", "can-i", account, "-n", "tollgate-system"] + words)
                #expect((status == 0) == answer, "\(question): \(output)")
            }
            #expect(
                try await plane.kubectl(["auth", "can-i", account, "-n", "default", "list", "secrets"]).status != 0)

            // An object of each kind that the samples have is taken.
            try await plane.kubectlOutput(["create", "namespace", "acme"])
            try await plane.kubectlOutput(
                ["apply", "-f", Repository.root.appending(path: "manifests/samples").path])

            let values: JSONValue = [
                "replicas": 2, "postgresql": ["url": "postgres://u:p@db/t"],
                "policy": ["routes": "version: 1\nrules: []\n"],
            ]
            _ = try await HelmEngine.ask([Self.helm("upgrade", plane, values)])[0].value()
            let second = try await Self.json(plane, "-n", "tollgate-system", "deployment", "tollgate")
            #expect(second["spec"]?["replicas"] == 2)
            #expect(second["spec"]?["strategy"]?["type"] == "RollingUpdate")
            _ = try await Self.json(plane, "-n", "tollgate-system", "poddisruptionbudget", "tollgate")
            _ = try await HelmEngine.ask([Self.helm("upgrade", plane, ChartValues.autoscaler)])[0].value()
            let scaler = try await Self.json(plane, "-n", "tollgate-system", "horizontalpodautoscaler", "tollgate")
            #expect(scaler["spec"]?["maxReplicas"] == 10)
            let refused = try await HelmEngine.ask([Self.helm("upgrade", plane, ["replicaCount": 2])])[0].refusal
            #expect(refused?.contains("additional properties 'replicaCount' not allowed") == true)
            let history = try await HelmEngine.ask([Self.helm("history", plane)])[0].value()
            #expect(history.arrayValue?.count == 3)

            _ = try await HelmEngine.ask([Self.helm("uninstall", plane)])[0].value()
            let left = try await plane.kubectlOutput([
                "get", "-A",
                "deployments,services,roles,rolebindings,networkpolicies,serviceaccounts,poddisruptionbudgets",
                "-l", "app.kubernetes.io/instance=tollgate", "-o", "name",
            ])
            #expect(left.split(separator: "\n").filter { $0.contains("/tollgate") } == [])
            // The kinds, and with them every object, and the data are kept.
            for name in Self.crds { try await plane.kubectlOutput(["get", "crd", name]) }
            try await plane.kubectlOutput(["get", "-n", "acme", "authconfig", "api", "mcp"])
            try await plane.kubectlOutput(["get", "-n", "tollgate-system", "persistentvolumeclaim", "tollgate-data"])

            // And a second installation takes over what was kept.
            _ = try await HelmEngine.ask([Self.helm("install", plane)])[0].value()

            // Releases of other roles stand beside it and share its Lease.
            for role in ["worker", "controller"] {
                let values: JSONValue = [
                    "role": .string(role), "leaseName": "tollgate", "crds": ["enabled": false],
                    "postgresql": ["url": "postgres://u:p@db/t"],
                ]
                _ = try await HelmEngine.ask([Self.helm("install", plane, values, name: role)])[0].value()
                let question = [
                    "auth", "can-i", "--as=system:serviceaccount:tollgate-system:\(role)-tollgate", "-n",
                    "tollgate-system", "update", "leases/tollgate",
                ]
                #expect(try await plane.kubectl(question).status == 0, "\(role)")
            }
            let services = try await plane.kubectlOutput(["get", "-n", "tollgate-system", "services", "-o", "name"])
            #expect(
                services.split(separator: "\n").filter { $0.contains("tollgate") }.sorted()
                    == ["service/controller-tollgate", "service/tollgate"])
        }
    }

    @Test func applyTheManifests() async throws {
        try await ControlPlane.with { plane in
            let folder = Repository.root.appending(path: "manifests").path
            try await plane.kubectlOutput(["apply", "-k", "\(folder)/base"])
            try await plane.kubectlOutput(
                ["wait", "--for=condition=Established", "--timeout=120s"] + Self.crds.map { "crd/\($0)" })
            try await plane.kubectlOutput(["apply", "-k", "\(folder)/samples"])
            for name in ["sidecar", "sidecar-files"] {
                let objects = try YAMLText.documents(try await plane.kubectlOutput(["kustomize", "\(folder)/\(name)"]))
                try await plane.kubectlOutput(
                    ["apply", "--validate=strict", "-f", try await plane.write(objects, to: "\(name).json")])
            }
            let deployment = try await Self.json(plane, "-n", "tollgate-system", "deployment", "tollgate")
            #expect(deployment.line.contains(#"{"name":"TOLLGATE_WATCH_NAMESPACES","value":"tollgate-system,acme"}"#))
            try await plane.kubectlOutput(["get", "-n", "acme", "authconfig", "api", "mcp"])
            let account = "--as=system:serviceaccount:tollgate-system:tollgate"
            #expect(try await plane.kubectl(["auth", "can-i", account, "-n", "acme", "list", "secrets"]).status == 0)
            #expect(try await plane.kubectl(["auth", "can-i", account, "list", "namespaces"]).status == 0)
            // Again, as a server-side apply: nothing is in conflict, nothing is refused.
            try await plane.kubectlOutput(
                ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", "\(folder)/samples"])
        }
    }
}
