// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

extension RealCluster {
    /// What the daemon believes on the real API server's word, or on a signature.
    @Suite struct TrustTests {
        private func running(
            _ name: String, _ objects: (Installation) -> String,
            _ body: (Plane, ClusterDaemon, Installation) async throws -> Void
        ) async throws {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("own")
            let place = Installation(namespace: try await plane.makeNamespace(name))
            _ = try await plane.plane.kubectlOutput(["label", "namespace", place.namespace, "tollgate.dev/tenant=acme"])
            let text = objects(place).replacing("OWN", with: own)
            let path = try plane.write(text, to: "\(name).yaml")
            _ = try await plane.plane.kubectlOutput(["apply", "--server-side", "-f", path])
            let daemon = try ClusterDaemon(
                name, kubeconfig: plane.plane.kubeconfig, own: own, watched: "\(own),\(place.namespace)")
            try await daemon.running { _ in try await body(plane, daemon, place) }
        }

        private static func manifest(_ id: String) throws -> (content: String, keys: JSONValue) {
            let bytes = try Data(contentsOf: Repository.root.appending(path: "Tests/Cases/tools.json"))
            let cases = try JSONParser.parse(Array(bytes))
            let entry = try #require(cases["manifests"]?.arrayValue?.first { $0["id"]?.stringValue == id })
            return (try #require(entry["manifest_json"]?.stringValue), try #require(cases["trusted_keys"]))
        }

        @Test func aSignedManifestIsAcceptedAndVerified() async throws {
            let (good, keys) = try Self.manifest("ok-documented-members")
            let key = try #require(keys.arrayValue?.first { $0["key_id"] == "ci-2026a" })
            let bad = good.replacing("\"max_memory_mb\": 256", with: "\"max_memory_mb\": 255")
            try #require(bad != good)
            func manifest(_ name: String, _ place: Installation, _ text: String) -> String {
                """
                ---
                apiVersion: tollgate.dev/v1alpha1
                kind: ToolManifest
                metadata: {name: \(name), namespace: \(place.namespace)}
                spec: {manifest: \(text)}

                """
            }
            func objects(_ place: Installation) -> String { manifest("good", place, good) }
            try await running("tools", objects) { plane, daemon, place in
                func condition(_ name: String, _ type: String) async throws -> String {
                    try await plane.plane.kubectlOutput([
                        "-n", place.namespace, "get", "toolmanifest", name, "-o",
                        "jsonpath={.status.conditions[?(@.type==\"\(type)\")].status} "
                            + "{.status.conditions[?(@.type==\"\(type)\")].reason}",
                    ])
                }
                // Nobody has said yet whose signature counts.
                try await Eventually.holds("the key to be missed") {
                    try await condition("good", "Verified") == "False UnknownKey"
                }
                let secret = """
                    apiVersion: v1
                    kind: Secret
                    metadata: {name: keys, namespace: \(daemon.own), labels: {tollgate.dev/managed: "true", tollgate.dev/tool-keys: "true"}}
                    stringData: {ci-2026a: '\(key.jsonText)'}
                    """
                let path = try plane.write(secret, to: "tool-keys.yaml")
                _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
                for type in ["Accepted", "Verified"] {
                    _ = try await plane.plane.kubectlOutput([
                        "-n", place.namespace, "wait", "--for=condition=\(type)", "--timeout=120s", "toolmanifest/good",
                    ])
                }
                #expect(try await condition("good", "Ready").hasPrefix("False "))
                let columns = try await plane.plane.kubectlOutput(["-n", place.namespace, "get", "toolmanifests"])
                #expect(columns.contains("my_tool") && columns.contains("1.0.0"))

                // A second key under the same id: it is told on the Secrets, and neither is used until one is gone.
                let other = try #require(keys.arrayValue?.first { $0["key_id"] != "ci-2026a" }?["public_key"])
                var rival = try #require(key.objectValue)
                rival["public_key"] = other
                let second = secret.replacing("name: keys,", with: "name: more-keys,").replacing(
                    key.jsonText, with: JSONValue.object(rival).jsonText)
                let added = try plane.write(second, to: "tool-keys-more.yaml")
                _ = try await plane.plane.kubectlOutput(["apply", "-f", added])
                try await Eventually.holds("the key to be used no more") {
                    try await condition("good", "Verified") == "False UnknownKey"
                }
                try await Eventually.holds("an Event on both Secrets") {
                    let events = try await plane.plane.kubectlOutput([
                        "-n", daemon.own, "get", "events.events.k8s.io", "-o",
                        "jsonpath={range .items[?(@.reason==\"ToolKeyConflict\")]}{.regarding.name} {end}",
                    ])
                    return Set(events.split(separator: " ")) == ["keys", "more-keys"]
                }
                _ = try await plane.plane.kubectlOutput(["delete", "-f", added])
                try await Eventually.holds("the key to be used again") {
                    try await condition("good", "Verified") == "True Verified"
                }

                // Whoever changes what was signed is found out.
                let changed = try plane.write(manifest("good", place, bad), to: "tools-changed.yaml")
                _ = try await plane.plane.kubectlOutput(["apply", "--server-side", "-f", changed])
                try await Eventually.holds("the signature to be refused") {
                    try await condition("good", "Verified") == "False BadSignature"
                }
            }
        }

        @Test func aServiceAccountIsKnownByItsToken() async throws {
            func objects(_ place: Installation) -> String {
                """
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: exporter, namespace: \(place.namespace)}
                ---
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: stranger, namespace: \(place.namespace)}
                ---
                apiVersion: tollgate.dev/v1alpha1
                kind: AuthConfig
                metadata: {name: reports, namespace: \(place.namespace)}
                spec:
                  hosts: [\(place.host)]
                  mode: required
                  tokenReview: {enabled: true, audiences: [reports]}
                  mappings: [{subject: "system:serviceaccount:\(place.namespace):exporter", roles: [a2a-agent]}]
                  policy:
                    routes: [{methods: [GET], path: /v1/me, permission: "tasks:read"}]

                """
            }
            try await running("review", objects) { plane, daemon, place in
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "wait", "--for=condition=Ready", "--timeout=120s", "authconfig/reports",
                ])
                func token(_ account: String, _ audience: String) async throws -> String {
                    try await plane.plane.kubectlOutput([
                        "-n", place.namespace, "create", "token", account, "--audience=\(audience)",
                    ]).trimmingCharacters(in: .whitespacesAndNewlines)
                }
                let known = try await token("exporter", "reports")
                #expect(try await daemon.decide(host: place.host, token: known) == "allow")
                let unknown = try await token("stranger", "reports")
                #expect(try await daemon.decide(host: place.host, token: unknown) == "policy.permission_denied")
                // Made for somebody else.
                let elsewhere = try await token("exporter", "vault")
                #expect(try await daemon.decide(host: place.host, token: elsewhere) == "auth.invalid_token")
                #expect(try await daemon.decide(host: place.host, token: place.token()) != "allow")
                #expect(try await daemon.metrics().contains("tollgate_auth_token_review_total"))
            }
        }
    }
}
