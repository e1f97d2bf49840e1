// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport

/// Several daemons over one control plane and one database, behind one nginx.
struct ReplicaSet: Sendable {
    /// One of them.
    struct Replica: Sendable {
        let daemon: ClusterDaemon
        /// Between this replica and the database.
        let database: CuttingProxy

        var name: String { daemon.name }
    }

    /// Where they stand in the cluster.
    struct Place: Sendable {
        let plane: RealCluster.Plane
        /// The own namespace.
        let own: String
        /// The namespaces whose objects are read.
        let watched: String
    }

    let replicas: [Replica]
    /// Where nginx listens.
    let port: Int
    let server: PostgreSQLServer
    private let place: Place
    private let processes = Processes()

    private init(replicas: [Replica], port: Int, server: PostgreSQLServer, place: Place) {
        self.replicas = replicas
        self.port = port
        self.server = server
        self.place = place
    }

    /// Which process runs for which replica at this time.
    private final class Processes: Sendable {
        private let all = Mutex<[String: PeerProcess]>([:])

        func take(_ name: String) -> PeerProcess? { all.withLock { $0.removeValue(forKey: name) } }

        func put(_ process: PeerProcess, _ name: String) { all.withLock { $0[name] = process } }

        func of(_ name: String) -> PeerProcess? { all.withLock { $0[name] } }

        func takeAll() -> [PeerProcess] {
            all.withLock { all in
                defer { all = [:] }
                return Array(all.values)
            }
        }
    }

    /// Runs `body` while all replicas are ready.
    ///
    /// - Parameter settings: of every replica, beside the usual ones.
    static func with<Value>(
        _ count: Int, at place: Place, settings: [String: String] = [:], _ body: (ReplicaSet) async throws -> Value
    ) async throws -> Value {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            return try await proxies(count, to: server.port, made: []) { proxies in
                let replicas = try proxies.enumerated().map { index, proxy in
                    let usual = [
                        "TOLLGATE_DATABASE_URL": server.url(user: "gate", database: database.name, port: proxy.port),
                        "TOLLGATE_DATABASE_ADMIN_URL": database.adminURL,
                        // A replica says that it is not ready before it stops to listen.
                        "TOLLGATE_DRAIN_DELAY": "2s",
                    ]
                    let daemon = try ClusterDaemon(
                        "replica-\(index)", kubeconfig: place.plane.plane.kubeconfig, own: place.own,
                        watched: place.watched, settings: usual.merging(settings) { $1 })
                    return Replica(daemon: daemon, database: proxy)
                }
                return try await ReplicaBalancer.with(ports: replicas.map(\.daemon.port)) { port in
                    let set = ReplicaSet(replicas: replicas, port: port, server: server, place: place)
                    return try await set.running(body)
                }
            }
        }
    }

    private static func proxies<Value>(
        _ count: Int, to port: Int, made: [CuttingProxy], _ body: ([CuttingProxy]) async throws -> Value
    ) async throws -> Value {
        guard made.count < count else { return try await body(made) }
        return try await CuttingProxy.with(to: port) { proxy in
            try await proxies(count, to: port, made: made + [proxy], body)
        }
    }

    private func running<Value>(_ body: (ReplicaSet) async throws -> Value) async throws -> Value {
        do {
            for replica in replicas { try begin(replica) }
            for replica in replicas { try await ready(replica) }
            let value = try await body(self)
            await endAll()
            return value
        } catch {
            await endAll()
            throw error
        }
    }

    private func endAll() async {
        for process in processes.takeAll() { await process.end(patience: .seconds(40)) }
    }

    // MARK: - Starting and ending

    /// Starts a replica that does not run and waits until it is ready.
    func start(_ replica: Replica) async throws {
        try begin(replica)
        try await ready(replica)
    }

    private func begin(_ replica: Replica) throws { processes.put(try replica.daemon.start(), replica.name) }

    private func ready(_ replica: Replica) async throws {
        guard let process = processes.of(replica.name) else { return }
        try await process.wait(forStatus: 200, of: "/readyz", port: replica.daemon.probePort, within: .seconds(180))
    }

    /// Asks a replica to end, as a rolling update does.
    ///
    /// - Returns: its exit status.
    func stop(_ replica: Replica) async throws -> Int32? {
        guard let process = processes.take(replica.name) else { return nil }
        let isInTime = await process.end(patience: .seconds(60))
        return isInTime ? process.exitStatus : nil
    }

    /// Kills a replica as a power cut would.
    func kill(_ replica: Replica) async throws { try await processes.take(replica.name)?.killNow() }

    /// Sends a replica a signal: SIGSTOP has it stand still with its connections open.
    func signal(_ replica: Replica, _ number: Int32) { processes.of(replica.name)?.signal(number) }

    /// The replica that holds the Lease; nil when none of them does.
    func leader() async throws -> Replica? {
        let holder = try await place.plane.plane.kubectlOutput([
            "-n", place.own, "get", "lease", "tollgate", "-o", "jsonpath={.spec.holderIdentity}",
        ])
        return replicas.first { holder.hasPrefix("\($0.name)_") }
    }
}
