// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// What a daemon does while its API server is away: a control plane of its own, which is stopped.
@Suite(.timeLimit(.minutes(30))) struct OutageTests {
    @Test func decisionsGoOnAndNothingIsLost() async throws {
        try await ControlPlane.with { plane in
            _ = try await plane.kubectlOutput(["apply", "-f", Repository.root.appending(path: "crds").path])
            _ = try await plane.kubectlOutput(["wait", "--for=condition=Established", "--timeout=120s", "crd", "--all"])
            for namespace in ["own", "acme"] { _ = try await plane.kubectlOutput(["create", "namespace", namespace]) }
            _ = try await plane.kubectlOutput(["label", "namespace", "acme", "tollgate.dev/tenant=acme"])
            let place = Installation(namespace: "acme")
            let path = try plane.folder.write(place.objects(), to: "objects.yaml")
            _ = try await plane.kubectlOutput(["apply", "-f", path])
            let daemon = try ClusterDaemon(
                "outage", kubeconfig: plane.kubeconfig, own: "own", watched: "own,acme",
                settings: ["TOLLGATE_RECONCILE_INTERVAL": "5s"])
            try await daemon.running { _ in
                _ = try await plane.kubectlOutput([
                    "-n", "acme", "wait", "--for=condition=Ready", "--timeout=120s", "authconfig/api",
                    "servicetoken/ci",
                ])
                try await plane.stop()
                for _ in 0..<50 {
                    #expect(try await daemon.decide(host: place.host, token: place.token()) == "allow")
                }
                try await plane.start()
                try await plane.compact()
                let changed = try plane.folder.write(place.objects(audience: "other"), to: "objects.yaml")
                try await Eventually.holds("the API server to take the edit") {
                    try await plane.kubectl(["apply", "-f", changed]).status == 0
                }
                try await Eventually.holds("the edit to decide") {
                    try await daemon.decide(host: place.host, token: place.token()) == "auth.invalid_audience"
                }
                try await Eventually.holds("the status to follow") {
                    try await plane.kubectlOutput([
                        "-n", "acme", "get", "authconfig", "api", "-o", "jsonpath={.status.observedGeneration}",
                    ]) == "2"
                }
                let metrics = try await daemon.metrics()
                #expect(metrics.contains(#"leader_election_master_status{name="tollgate"} 1"#))
            }
        }
    }
}
