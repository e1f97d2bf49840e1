// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPService
internal import KubernetesClient
internal import Logging
internal import ManifestFiles

/// Where a server is told to take its objects from.
enum ObjectSource: Sendable {
    case manifests([String])
    case cluster(ClusterConnection)
    /// The operator that the process is a sidecar of.
    case upstream
}

/// Where the objects come from, opened.
enum ObjectOrigin: Sendable {
    case files(ManifestDirectory, StatusKeeper.Kept)
    case cluster(ClusterLink)
    case upstream(UpstreamLink)

    /// - Parameter link: for a sidecar.
    init(
        _ source: ObjectSource, link: UpstreamLink?, settings: TollgateSettings, store: any ObjectStatusStore,
        clock: any WallClock,
        random: any RandomSource, logger: Logger, metrics: PrometheusRegistry
    ) async throws {
        switch source {
        case .manifests(let paths):
            let kept = try await StatusKeeper.load(store)
            let directory = ManifestDirectory(
                paths: paths, defaultNamespace: TollgateSettings.standaloneNamespace, clock: clock,
                memory: kept.memory)
            self = .files(directory, kept)
        case .upstream:
            guard let link else { throw StartupProblem("TOLLGATE_UPSTREAM: a sidecar needs it") }
            self = .upstream(link)
        case .cluster(let connection):
            self = .cluster(
                try await ClusterLink(
                    connection, settings: settings, clock: clock, random: random, logger: logger, metrics: metrics))
        }
    }

    /// The namespace whose objects may speak for the platform unless others are named.
    var ownNamespace: String {
        switch self {
        case .files, .upstream: TollgateSettings.standaloneNamespace
        case .cluster(let link): link.ownNamespace
        }
    }

    /// Where objects stand, as a sentence goes on after a name.
    var place: String {
        switch self {
        case .files: "among the manifests"
        case .upstream: "of the operator"
        case .cluster: "of the cluster"
        }
    }

    /// The control side on these objects.
    func control(_ parts: ControlParts, metrics: PrometheusRegistry) async throws -> any ControlSide {
        switch self {
        case .files(let directory, let kept):
            try await StandaloneSide(parts, directory: directory, kept: kept, metrics: metrics)
        case .cluster(let link): try ClusterSide(parts, link: link, metrics: metrics)
        case .upstream(let link): try SidecarSide(parts, link: link, metrics: metrics)
        }
    }
}
