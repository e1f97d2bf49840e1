// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// What a daemon does when its connections go silent instead of ending.
    @Suite struct SilenceTests {
        /// Runs a daemon behind a proxy until it decides, lets `disturb` happen, and waits until an edit that comes after it decides.
        private func edit(_ name: String, after disturb: (CuttingProxy, SystemMonotonicClock) async throws -> Void)
            async throws
        {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("own")
            let place = Installation(namespace: try await plane.makeNamespace(name))
            _ = try await plane.plane.kubectlOutput(["label", "namespace", place.namespace, "tollgate.dev/tenant=acme"])
            let path = try plane.write(place.objects(), to: "\(name).yaml")
            _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
            try await CuttingProxy.with(to: plane.plane.port()) { proxy in
                let daemon = try ClusterDaemon(
                    name, kubeconfig: plane.plane.kubeconfig(through: proxy, named: name), own: own,
                    watched: "\(own),\(place.namespace)")
                try await daemon.running { process in
                    try await Eventually.holds("the object to decide") {
                        try await daemon.decide(host: place.host, token: place.token()) == "allow"
                    }
                    try await disturb(proxy, SystemMonotonicClock())
                    let changed = try plane.write(place.objects(audience: "other"), to: "\(name).yaml")
                    _ = try await plane.plane.kubectlOutput(["apply", "-f", changed])
                    try await process.wait(for: "the edit to decide", within: .seconds(200)) {
                        try await daemon.decide(host: place.host, token: place.token(audience: "other")) == "allow"
                    }
                    try await process.wait(for: "the status to follow", within: .seconds(200)) {
                        try await plane.plane.kubectlOutput([
                            "-n", place.namespace, "get", "authconfig", "api", "-o",
                            "jsonpath={.status.observedGeneration}",
                        ]) == "2"
                    }
                }
            }
        }

        @Test func connectionsThatEndWhileNothingComesThroughAreMadeAnew() async throws {
            try await edit("stall") { proxy, time in
                proxy.stall()
                try await time.pause(for: .seconds(2))
                proxy.cut()
                try await time.pause(for: .seconds(7))
                proxy.resume()
            }
        }

        /// The other end acknowledges every byte and says nothing: the system does not notice that.
        @Test func connectionsOnWhichNothingComesAnyMoreAreGivenUp() async throws {
            let plane = try RealCluster.plane()
            try await CuttingProxy.with(to: plane.plane.port()) { proxy in
                var settings = HTTPKubernetesAPI.Settings()
                settings.pingInterval = .milliseconds(200)
                // Longer than a busy machine keeps server, proxy and client from answering.
                settings.pingPatience = .seconds(30)
                let api = try ClusterClient.of(
                    kubeconfig: plane.plane.kubeconfig(through: proxy, named: "silent"), settings: settings)
                let seen = Signal()
                let ended = try await Self.watchUntilItEnds(api, seen: seen) {
                    try await Eventually.holds("a connection to ask and one to watch") { proxy.open == 2 }
                    // Only a connection that is set up asks for signs of life; before that the watch's own limit ends it.
                    let name = "silence-\(UInt32.random(in: 0..<1_000_000))"
                    _ = try await plane.plane.kubectlOutput(["-n", "default", "create", "configmap", name])
                    let sign: Void? = await SystemMonotonicClock().limited(to: .seconds(120)) { await seen.wait() }
                    #expect(sign != nil, "the watch tells nothing")
                    // The connection lives on as long as the server answers.
                    try await SystemMonotonicClock().pause(for: .seconds(3))
                    #expect(proxy.open == 2)
                    proxy.freeze()
                }
                #expect(ended.code == .unreachable, "\(ended)")
                _ = try await api.versions(ofGroup: "tollgate.dev")
                await api.shutdown()
            }
        }

        /// Opens a watch, has something happen while it stands, and says how it ended.
        private static func watchUntilItEnds(
            _ api: HTTPKubernetesAPI, seen: Signal, _ happen: () async throws -> Void
        ) async throws -> KubernetesError {
            let selection = ObjectSelection(.configMaps, namespace: "default")
            let page = try await api.list(ListQuery(selection)) { _ in }
            let query = WatchQuery(
                selection, resourceVersion: page.resourceVersion, timeoutSeconds: 600, idleTimeout: .seconds(600))
            return try await withThrowingTaskGroup(of: KubernetesError.self) { group in
                group.addTask {
                    do throws(KubernetesError) {
                        try await api.watch(query) { _ in
                            seen.call()
                            return .goOn
                        }
                        return KubernetesError(.internalError, message: "it ended as the server wished")
                    } catch {
                        return error
                    }
                }
                try await happen()
                return try await group.next() ?? KubernetesError(.internalError, message: "it never began")
            }
        }
    }
}
