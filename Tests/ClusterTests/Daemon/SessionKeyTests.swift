// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The key that seals the sessions of all replicas.
    @Suite(.timeLimit(.minutes(15))) struct SessionKeyTests {
        @Test func replicasThatStartTogetherMakeOneKey() async throws {
            let plane = try RealCluster.plane()
            let own = try await plane.makeNamespace("sessions")
            try await RedisServer.with { redis in
                let daemons = try (0..<3).map { number in
                    try ClusterDaemon(
                        "sessions-\(number)", kubeconfig: plane.plane.kubeconfig, own: own, watched: own,
                        settings: ["REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": "5s"])
                }
                let processes = try daemons.map { try $0.start() }
                do {
                    try await Self.check(daemons, processes, plane, own, redis)
                } catch {
                    for process in processes { await process.end() }
                    throw error
                }
                for process in processes { await process.end() }
            }
        }

        private static func check(
            _ daemons: [ClusterDaemon], _ processes: [PeerProcess], _ plane: RealCluster.Plane, _ own: String,
            _ redis: RedisServer
        ) async throws {
            for (daemon, process) in zip(daemons, processes) {
                try await process.wait(forStatus: 200, of: "/readyz", port: daemon.probePort, within: .seconds(180))
                try await Eventually.holds("Redis to be there") {
                    try await daemon.metrics().contains("tollgate_redis_up 1\n")
                }
            }
            let secret = ["-n", own, "get", "secret", "tollgate-session-key", "-o"]
            let key = try await plane.plane.kubectlOutput(secret + ["jsonpath={.data.token}"])
            #expect(!key.isEmpty)
            let made = processes.reduce(0) { $0 + $1.output.ranges(of: "secret made").count }
            #expect(made == 1, "\(processes.map(\.output))")
            // Whoever seals with another key could not read it.
            let session = try await ConsoleSession.begin(with: ClusterDaemon.adminToken, port: daemons[0].port)
            for daemon in daemons { #expect(try await session.shown(port: daemon.port) == session.handle) }

            // Who comes later takes the same.
            let late = try ClusterDaemon(
                "sessions-late", kubeconfig: plane.plane.kubeconfig, own: own, watched: own,
                settings: ["REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": "5s"])
            try await late.running { process in
                let shown = try await session.shown(port: late.port)
                #expect(shown == session.handle)
                #expect(!process.output.contains("secret made"))
            }
            #expect(try await plane.plane.kubectlOutput(secret + ["jsonpath={.data.token}"]) == key)
        }
    }
}
