// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The real kubectl with the plugin on its PATH, a real API server, and the daemon on it.
    @Suite struct KubectlPluginTests {
        /// kubectl as a person runs it.
        private struct Person {
            let plane: Plane
            let folder: TemporaryDirectory

            init(_ plane: Plane) throws {
                self.plane = plane
                folder = try TemporaryDirectory()
                try FileManager.default.createSymbolicLink(
                    atPath: folder.path("kubectl-tollgate"), withDestinationPath: PeerPaths.tollgate())
                // What the plugin itself looks for on the PATH.
                try FileManager.default.createSymbolicLink(
                    atPath: folder.path("kubectl"), withDestinationPath: PeerPaths.path(of: .kubectl))
            }

            func kubectl(_ words: [String]) async throws -> (status: Int32, output: String) {
                let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
                return try await PeerProcess.run(
                    name: "kubectl", executable: PeerPaths.path(of: .kubectl), arguments: words,
                    environment: ["KUBECONFIG": plane.plane.kubeconfig, "PATH": "\(folder.path):\(path)"],
                    folder: folder, within: .seconds(240))
            }

            /// What `kubectl tollgate …` writes when it ends with 0.
            func tollgate(_ words: String...) async throws -> String {
                let (status, output) = try await kubectl(["tollgate"] + words)
                guard status == 0 else { throw PeerFault(message: "\(words) ended with \(status): \(output)") }
                return output
            }
        }

        @Test func kubectlFindsAndRunsThePlugin() async throws {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("own")
            let place = Installation(namespace: try await plane.makeNamespace("plugin"))
            let tenant = place.namespace
            _ = try await plane.plane.kubectlOutput(["label", "namespace", tenant, "tollgate.dev/tenant=acme"])
            let path = try plane.write(place.objects(), to: "plugin.yaml")
            _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
            let person = try Person(plane)
            let listed = try await person.kubectl(["plugin", "list"])
            #expect(listed.output.contains("kubectl-tollgate"), "\(listed.output)")
            #expect(try await person.tollgate("--help").contains("USAGE: kubectl tollgate <subcommand>"))

            // The daemon makes its own admin token and keeps it in the Secret.
            let daemon = try ClusterDaemon(
                "plugin", kubeconfig: plane.plane.kubeconfig, own: own, watched: "\(own),\(tenant)",
                settings: ["TOLLGATE_AUTH_TOKEN": ""])
            try await daemon.running { _ in
                _ = try await plane.plane.kubectlOutput([
                    "-n", tenant, "wait", "--for=condition=Ready", "--timeout=120s", "authconfig/api",
                    "servicetoken/ci", "subscription/plan",
                ])
                try await Eventually.holds("a leader") {
                    try await person.tollgate("status", "-n", tenant, "--install-namespace", own, "-o", "table")
                        .contains("Leader: plugin_")
                }
                let status = try await person.tollgate("status", "-n", tenant, "--install-namespace", own)
                let items = try JSONParser.parse(text: status)["items"]?.arrayValue ?? []
                #expect(items.compactMap { $0["kind"]?.stringValue } == ["AuthConfig", "ServiceToken", "Subscription"])

                func text() async throws -> String {
                    try await plane.plane.kubectlOutput([
                        "-n", tenant, "get", "secret", "ci-token", "-o", "jsonpath={.data.token}",
                    ])
                }
                let before = try await text()
                let rotated = try await person.tollgate(
                    "token", "rotate", "ci", "-n", tenant, "--wait", "120s", "-o", "table")
                #expect(rotated == "ServiceToken \(tenant)/ci: rotated\n")
                #expect(try await text() != before)
                let usage = try await person.tollgate("usage", "acme", "-n", tenant, "-o", "table")
                #expect(usage.contains("pro"), "\(usage)")

                try await reachesTollgate(person, daemon, place)

                let revoked = try await person.tollgate(
                    "token", "revoke", "ci", "-n", tenant, "--reason", "lost", "--wait", "120s", "-o", "table")
                #expect(revoked == "ServiceToken \(tenant)/ci: revoked\n")
                try await Eventually.holds("the object to say so") {
                    try await person.tollgate("status", "-n", tenant, "--install-namespace", own, "-o", "table")
                        .contains("Revoked")
                }
                // What cannot come about is not waited for.
                let again = try await person.kubectl([
                    "tollgate", "token", "rotate", "ci", "-n", tenant, "--wait", "120s",
                ])
                #expect(again.status == 1 && again.output.contains("cannot be rotated: Ready is False: Revoked"))
            }
        }

        /// With the token of the Secret, at an address, and through what kubectl makes of no address.
        private func reachesTollgate(_ person: Person, _ daemon: ClusterDaemon, _ place: Installation) async throws {
            let url = "http://127.0.0.1:\(daemon.port)"
            let refused = try await person.kubectl([
                "tollgate", "explain", "GET", "https://\(place.host)/v1/me", "--as", "anonymous", "--api-url", url,
                "--install-namespace", daemon.own, "--output", "table",
            ])
            #expect(refused.status == 3 && refused.output.contains("auth.missing_token"), "\(refused.output)")
            let trail = try await person.tollgate(
                "audit", "--action", "service_token.create", "--api-url", url, "--install-namespace", daemon.own)
            #expect(try JSONParser.parse(text: trail)["events"]?.arrayValue?.isEmpty == false, "\(trail)")

            // No pod runs here: kubectl takes the arguments and says what it lacks.
            let service = try person.plane.write(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: tollgate, namespace: \(daemon.own)}
                spec: {ports: [{name: http, port: 80, targetPort: \(daemon.port)}]}
                """, to: "plugin-service.yaml")
            _ = try await person.plane.plane.kubectlOutput(["apply", "-f", service])
            let forwarded = try await person.kubectl(["tollgate", "audit", "--install-namespace", daemon.own])
            #expect(forwarded.status == 8 && forwarded.output.contains("without a selector"), "\(forwarded.output)")
        }
    }
}
