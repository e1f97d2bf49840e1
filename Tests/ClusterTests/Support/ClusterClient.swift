// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import TestSupport

/// The real client, for the fake and for the real server.
enum ClusterClient {
    /// For a server that wants no credential.
    static func plain(
        _ url: String, settings: HTTPKubernetesAPI.Settings = .init(), time: any MonotonicClock = SystemMonotonicClock()
    ) throws -> HTTPKubernetesAPI { try make(ClusterConnection(server: url), settings, time) }

    /// For the fake, for the time of the body.
    static func with<Value>(
        _ server: FakeAPIServer, settings: HTTPKubernetesAPI.Settings = .init(),
        time: any MonotonicClock = SystemMonotonicClock(), _ body: (HTTPKubernetesAPI) async throws -> Value
    ) async throws -> Value {
        let api = try plain(server.url, settings: settings, time: time)
        do {
            let value = try await body(api)
            await api.shutdown()
            return value
        } catch {
            await api.shutdown()
            throw error
        }
    }

    /// As the administrator whom a control plane's kubeconfig names.
    static func of(
        kubeconfig: String, settings: HTTPKubernetesAPI.Settings = .init()
    ) throws -> HTTPKubernetesAPI {
        let document = try YAMLText.json(String(contentsOfFile: kubeconfig, encoding: .utf8))
        let cluster = document["clusters"]?.arrayValue?.first?["cluster"]
        let user = document["users"]?.arrayValue?.first?["user"]
        guard let server = cluster?["server"]?.stringValue, let token = user?["token"]?.stringValue,
            let authority = cluster?["certificate-authority-data"]?.stringValue.flatMap({ Data(base64Encoded: $0) })
        else { throw PeerFault(message: "\(kubeconfig) has no server, token or authority") }
        return try make(
            ClusterConnection(
                server: server, certificateAuthority: .bytes(Redacted(Array(authority))),
                credential: .token(Redacted(token))), settings, SystemMonotonicClock())
    }

    private static func make(
        _ connection: ClusterConnection, _ settings: HTTPKubernetesAPI.Settings, _ time: any MonotonicClock
    ) throws -> HTTPKubernetesAPI {
        try HTTPKubernetesAPI(
            connection, userAgent: "tollgate/test (linux/none) all", settings: settings, time: time,
            clock: SystemWallClock(), random: SeededRandom(seed: 4), metrics: NOOPMetricsHandler.instance,
            logger: Logger(label: "cluster-tests") { _ in SwiftLogNoOpLogHandler() })
    }
}
