// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Essentials
internal import Foundation
internal import HTTPService
internal import KubernetesClient
internal import Logging
internal import Reconcilers
internal import ResourceModel

/// The connection to a cluster and what is watched over it.
struct ClusterLink: Sendable {
    let api: HTTPKubernetesAPI
    let ownNamespace: String
    let caches: ClusterCaches
    let streams: [ClusterStream]
    let elector: LeaderElector
    let events: EventRecorder
    let writes = OwnWrites()
    private let logger: Logger

    init(
        _ connection: ClusterConnection, settings: TollgateSettings, clock: any WallClock, random: any RandomSource,
        logger: Logger, metrics: PrometheusRegistry
    ) async throws {
        self.logger = logger
        let cluster = settings.cluster
        ownNamespace = cluster.podNamespace ?? connection.namespace ?? TollgateSettings.standaloneNamespace
        for warning in connection.warnings {
            logger.warning("cluster connection", metadata: [LogKeys.reason: "\(warning)"])
        }
        api = try HTTPKubernetesAPI(
            connection, userAgent: ClientName.userAgent(role: "all"), clock: clock, random: random, logger: logger,
            metricsFactory: metrics)
        let streams = ClusterStreams(
            api: api, watched: cluster.watched(own: ownNamespace), ownNamespace: ownNamespace,
            selector: cluster.selector, policyConfigMap: settings.policy.configMap, clock: clock, random: random,
            logger: logger, metrics: metrics)
        self.streams = streams.all
        caches = streams.caches
        let scheme = settings.listeners.tls == nil ? "http" : "https"
        elector = LeaderElector(
            lease: APIObjectReference(.leases, namespace: ownNamespace, name: cluster.lease),
            identity: "\(cluster.podName)_\(UUID().uuidString.lowercased())",
            address: cluster.podIP.map {
                "\(scheme)://\($0.contains(":") ? "[\($0)]" : $0):\(settings.listeners.api.port)"
            },
            api: api, clock: clock, random: random, logger: logger, metricsFactory: metrics)
        events = EventRecorder(
            api: api, instance: cluster.podName, namespace: ownNamespace, clock: clock, random: random, logger: logger)
    }

    /// The admin token that every replica has: made once, kept in Secret `tollgate-admin-token` of the own namespace.
    ///
    /// - Throws: `StartupProblem` when the Secret can be neither read nor made.
    func adminToken(random: any RandomSource) async throws -> Redacted<String> {
        let reference = APIObjectReference(.secrets, namespace: ownNamespace, name: "tollgate-admin-token")
        do {
            do throws(KubernetesError) {
                return try Self.token(in: try await api.get(reference, subresource: nil), reference)
            } catch  where error.code == .notFound {
                let token = Base64URL.encode(random.bytes(32))
                let document: JSONValue = [
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": [
                        "name": .string(reference.name), "namespace": .string(ownNamespace),
                        "labels": ["app.kubernetes.io/managed-by": "tollgate", "tollgate.dev/managed": "true"],
                    ], "type": "Opaque", "data": ["token": .string(Data(token.utf8).base64EncodedString())],
                ]
                do throws(KubernetesError) {
                    _ = try await api.create(
                        document, in: .secrets, namespace: ownNamespace, name: nil, subresource: nil)
                    logger.notice("admin token made", metadata: [LogKeys.object: "\(reference)"])
                    return Redacted(token)
                } catch  where error.code == .alreadyExists {
                    // Another replica was faster: its token is everybody's.
                    return try Self.token(in: try await api.get(reference, subresource: nil), reference)
                }
            }
        } catch let error as KubernetesError {
            throw StartupProblem(
                "the admin token cannot be kept in \(reference): \(error). Give the service account the rights of the chart, or set TOLLGATE_AUTH_TOKEN."
            )
        }
    }

    private static func token(in secret: JSONValue, _ reference: APIObjectReference) throws -> Redacted<String> {
        let text = secret["data"]?["token"]?.stringValue.flatMap { Data(base64Encoded: $0) }
            .map { ASCII.trimmed(String(decoding: $0, as: UTF8.self)) }
        guard let text, text.utf8.count >= 32 else {
            throw StartupProblem(
                "\(reference) holds no admin token of at least 32 bytes under key token. Delete it: a new one is made.")
        }
        return Redacted(text)
    }
}
