// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPService
internal import Logging
internal import RuntimeState
internal import ServiceLifecycle

/// The side of a server that knows the objects: it publishes snapshots and keeps status, for as long as its services run.
protocol ControlSide: Sendable {
    /// What `GET /v1/resources` shows.
    var catalog: any ResourceCatalog { get }
    /// Who takes what only the leader answers to it; nil where this process is the only one.
    var leader: (any LeaderForwarding)? { get }
    /// The own Deployment; nil where there is no cluster.
    var cluster: (any ClusterService)? { get }
    /// What has to run as long as the server does.
    var services: [any Service] { get }
    /// Lines of `/readyz?verbose` beside those that every server has.
    func checks() -> [ReadinessCheck]
    /// Whether it keeps stored credentials together with where they come from by itself.
    var keepsCredentials: Bool { get }
    /// Whether the process should go on living.
    var isLive: Bool { get }
    /// Does what can be done before anything listens.
    func start() async
    /// Holds what has to be held until everything else has ended; returns after `release`.
    func hold() async
    /// Lets go of what is held.
    func release()
}

extension ControlSide {
    /// The server does it, with its store.
    var keepsCredentials: Bool { false }

    var leader: (any LeaderForwarding)? { nil }

    var cluster: (any ClusterService)? { nil }
}
