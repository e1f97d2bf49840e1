// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The real daemon on the real API server, used with the real kubectl.
    @Suite struct DaemonTests {
        private func daemon(_ name: String, own: String, watched: String) throws -> ClusterDaemon {
            try ClusterDaemon(
                name, kubeconfig: try RealCluster.plane().plane.kubeconfig, own: own, watched: "\(own),\(watched)")
        }

        private func install(_ name: String) async throws -> (plane: Plane, own: String, place: Installation) {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("own")
            let place = Installation(namespace: try await plane.makeNamespace(name))
            _ = try await plane.plane.kubectlOutput(["label", "namespace", place.namespace, "tollgate.dev/tenant=acme"])
            return (plane, own, place)
        }

        private func apply(_ text: String, _ plane: Plane, _ name: String) async throws {
            let path = try plane.write(text, to: "\(name).yaml")
            _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
        }

        private func get(_ plane: Plane, _ place: Installation, _ words: String...) async throws -> String {
            try await plane.plane.kubectlOutput(["-n", place.namespace, "get"] + words)
        }

        private func text(of plane: Plane, _ place: Installation) async throws -> String {
            let encoded = try await get(plane, place, "secret", "ci-token", "-o", "jsonpath={.data.token}")
            return String(decoding: Data(base64Encoded: encoded) ?? Data(), as: UTF8.self)
        }

        @Test func objectsBecomeReadyAndDecide() async throws {
            let (plane, own, place) = try await install("ready")
            try await apply(place.objects(), plane, "ready")
            let daemon = try daemon("ready", own: own, watched: place.namespace)
            try await daemon.running { _ in
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "wait", "--for=condition=Ready", "--timeout=120s", "authconfig/api",
                    "servicetoken/ci", "subscription/plan",
                ])
                let shown = try await get(plane, place, "tollgate")
                for word in ["HOSTS", "MODE", "READY", "IDENTIFIER", "NEXT ROTATION", "PLAN", "STATE", place.host] {
                    #expect(shown.contains(word), "\(word): \(shown)")
                }
                #expect(!shown.contains("<invalid>"))
                let status = try await get(plane, place, "authconfig", "api", "-o", "jsonpath={.status.linked}")
                #expect(status == "1/1")
                #expect(try await daemon.decide(host: place.host, token: place.token()) == "allow")
                #expect(try await daemon.decide(host: place.host, token: text(of: plane, place)) == "allow")
                #expect(try await daemon.decide(host: place.host, token: nil) == "auth.missing_token")

                // An edit changes decisions.
                try await apply(place.objects(audience: "other"), plane, "ready")
                try await Eventually.holds("the edit to decide") {
                    try await daemon.decide(host: place.host, token: place.token()) == "auth.invalid_audience"
                }
                #expect(try await daemon.decide(host: place.host, token: place.token(audience: "other")) == "allow")
                let events = try await get(plane, place, "events.events.k8s.io", "-o", "jsonpath={.items[*].reason}")
                #expect(events.contains("TokenMinted") && events.contains("InForce"))

                // What is in order is not written again.
                let before = try await get(
                    plane, place, "tollgate", "-o", "jsonpath={.items[*].metadata.resourceVersion}")
                _ = try await plane.plane.kubectlOutput(["-n", own, "create", "configmap", "a-while"])
                let after = try await get(
                    plane, place, "tollgate", "-o", "jsonpath={.items[*].metadata.resourceVersion}")
                #expect(before == after)
            }
        }

        @Test func aDeletedTokenIsRevokedAndItsSecretGone() async throws {
            let (plane, own, place) = try await install("revoke")
            try await apply(place.objects(), plane, "revoke")
            let daemon = try daemon("revoke", own: own, watched: place.namespace)
            try await daemon.running { _ in
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "wait", "--for=condition=Ready", "--timeout=120s", "servicetoken/ci",
                ])
                let first = try await text(of: plane, place)
                let owner = try await get(
                    plane, place, "secret", "ci-token", "-o",
                    "jsonpath={.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].controller} {.type}")
                #expect(owner == "ServiceToken true tollgate.dev/service-token")

                // A lost Secret is made again, with another text.
                _ = try await plane.plane.kubectlOutput(["-n", place.namespace, "delete", "secret", "ci-token"])
                let second = try await Eventually.value("the Secret to be restored") { () -> String? in
                    let (status, _) = try await plane.plane.kubectl([
                        "-n", place.namespace, "get", "secret", "ci-token",
                    ])
                    return status == 0 ? try await text(of: plane, place) : nil
                }
                #expect(first != second)
                #expect(try await daemon.decide(host: place.host, token: second) == "allow")
                #expect(try await daemon.decide(host: place.host, token: first) == "allow", "good for the overlap")

                _ = try await plane.plane.kubectlOutput(["-n", place.namespace, "delete", "servicetoken", "ci"])
                for token in [first, second] {
                    try await Eventually.holds("the token to be refused") {
                        try await daemon.decide(host: place.host, token: token) == "auth.token_revoked"
                    }
                }
                let (status, _) = try await plane.plane.kubectl(["-n", place.namespace, "get", "secret", "ci-token"])
                #expect(status != 0)
            }
        }

        @Test func whatIsNotOursIsLeftAloneAndNamed() async throws {
            let (plane, own, place) = try await install("foreign")
            _ = try await plane.plane.kubectlOutput([
                "-n", place.namespace, "create", "secret", "generic", "ci-token", "--from-literal=token=mine",
            ])
            _ = try await plane.plane.kubectlOutput([
                "-n", place.namespace, "create", "secret", "generic", "plain", "--from-literal=hs256=\(place.key)",
            ])
            let objects = place.objects().replacing("secretRef: {name: issuer", with: "secretRef: {name: plain")
            try await apply(objects, plane, "foreign")
            let daemon = try daemon("foreign", own: own, watched: place.namespace)
            try await daemon.running { _ in
                func reason(_ object: String, _ type: String) async throws -> String {
                    try await get(
                        plane, place, object, "-o", "jsonpath={.status.conditions[?(@.type==\"\(type)\")].reason}")
                }
                try await Eventually.holds("the conflict to be named") {
                    try await reason("servicetoken/ci", "Ready") == "SecretConflict"
                }
                try await Eventually.holds("the missing label to be named") {
                    try await reason("authconfig/api", "SecretsResolved") == "SecretNotLabelled"
                }
                let kept = try await get(plane, place, "secret", "ci-token", "-o", "jsonpath={.data}")
                #expect(kept == "{\"token\":\"bWluZQ==\"}")
                #expect(try await daemon.decide(host: place.host, token: place.token()) == "config.invalid")

                // Mended, both become ready.
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "label", "secret", "plain", "tollgate.dev/managed=true",
                ])
                _ = try await plane.plane.kubectlOutput(["-n", place.namespace, "delete", "secret", "ci-token"])
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "annotate", "servicetoken", "ci", "look=again",
                ])
                _ = try await plane.plane.kubectlOutput([
                    "-n", place.namespace, "wait", "--for=condition=Ready", "--timeout=120s", "authconfig/api",
                    "servicetoken/ci",
                ])
            }
        }

        @Test func oneOfTwoLeadsAndTheOtherFollowsIt() async throws {
            let (plane, own, place) = try await install("lead")
            try await apply(place.objects(), plane, "lead")
            let first = try daemon("first", own: own, watched: place.namespace)
            let second = try daemon("second", own: own, watched: place.namespace)
            func holder() async throws -> String {
                let holder = try await plane.plane.kubectlOutput([
                    "-n", own, "get", "lease", "tollgate", "-o", "jsonpath={.spec.holderIdentity}",
                ])
                return String(holder.prefix { $0 != "_" })
            }
            try await second.running { (_: PeerProcess) async throws -> Void in
                try await Eventually.holds("the second to lead") { try await holder() == "second" }
                try await first.running { (_: PeerProcess) async throws -> Void in
                    #expect(try await holder() == "second")
                    #expect(try await first.metrics().contains(#"leader_election_master_status{name="tollgate"} 0"#))
                    #expect(try await second.metrics().contains(#"leader_election_master_status{name="tollgate"} 1"#))
                    // Every replica decides from what it watches itself.
                    for daemon in [first, second] {
                        #expect(try await daemon.decide(host: place.host, token: place.token()) == "allow")
                    }
                }
            }
            try await first.running { (killed: PeerProcess) async throws -> Void in
                try await Eventually.holds("the first to take over") { try await holder() == "first" }
                try await second.running { (_: PeerProcess) async throws -> Void in
                    try await killed.killNow()
                    try await Eventually.holds("the second to take over from the dead") {
                        try await holder() == "second"
                    }
                    #expect(try await second.decide(host: place.host, token: place.token()) == "allow")
                }
            }
        }
    }
}
