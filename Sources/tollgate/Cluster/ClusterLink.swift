// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
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
    /// As whom the API server is spoken to.
    let credential: ClusterCredential
    let caches: ClusterCaches
    let streams: [ClusterStream]
    let elector: LeaderElector
    let events: EventRecorder
    /// Called each time that this replica becomes the leader.
    let leading = ChangeHook()
    let writes: OwnWrites
    /// As the Lease names this replica when it leads.
    let identity: String
    private let logger: Logger

    init(
        _ connection: ClusterConnection, settings: TollgateSettings, clock: any WallClock, random: any RandomSource,
        logger: Logger, metrics: PrometheusRegistry
    ) async throws {
        self.logger = logger
        let cluster = settings.cluster
        credential = connection.credential
        ownNamespace = cluster.podNamespace ?? connection.namespace ?? TollgateSettings.standaloneNamespace
        for warning in connection.warnings {
            logger.warning("cluster connection", metadata: [LogKeys.reason: "\(warning)"])
        }
        api = try HTTPKubernetesAPI(
            connection, userAgent: ClientName.userAgent(role: settings.process.role.rawValue), clock: clock,
            random: random, metrics: metrics, logger: logger)
        let streams = ClusterStreams(
            api: api, watched: cluster.watched(own: ownNamespace), ownNamespace: ownNamespace,
            selector: cluster.selector, policyConfigMap: settings.policy.configMap, clock: clock, random: random,
            logger: logger, metrics: metrics)
        self.streams = streams.all
        caches = streams.caches
        writes = OwnWrites(over: streams.caches)
        let scheme = settings.listeners.tls == nil ? "http" : "https"
        identity = "\(cluster.podName)_\(UUID().uuidString.lowercased())"
        elector = LeaderElector(
            lease: APIObjectReference(.leases, namespace: ownNamespace, name: cluster.lease),
            identity: identity,
            address: cluster.podIP.map {
                "\(scheme)://\($0.contains(":") ? "[\($0)]" : $0):\(settings.listeners.api.port)"
            },
            mayLead: settings.process.role.mayLead, api: api, clock: clock, random: random, logger: logger,
            metricsFactory: metrics)
        events = EventRecorder(
            api: api, instance: cluster.podName, clock: clock, random: random, logger: logger
        ) { [redactor = Redactor(level: settings.audit.trail.redaction)] in redactor.text($0) }
    }

    /// The admin token that every replica has: made once, kept in Secret `tollgate-admin-token` of the own namespace.
    ///
    /// - Throws: `StartupProblem` when the Secret can be neither read nor made.
    func adminToken(random: any RandomSource) async throws -> Redacted<String> {
        let reference = APIObjectReference(.secrets, namespace: ownNamespace, name: "tollgate-admin-token")
        do throws(KubernetesError) {
            return try await secret(reference, random: random)
        } catch {
            throw StartupProblem(
                "the admin token cannot be kept in \(reference): \(error). Give the service account the rights of the chart, or set TOLLGATE_AUTH_TOKEN."
            )
        }
    }

    /// The key that seals the sessions of every replica: made once, kept in Secret `tollgate-session-key` of the own namespace.
    ///
    /// - Returns: nil where the Secret can be neither read nor made; the log says why.
    func sessionKeys(random: any RandomSource) async -> Redacted<[[UInt8]]>? {
        let reference = APIObjectReference(.secrets, namespace: ownNamespace, name: "tollgate-session-key")
        do throws(KubernetesError) {
            let text = try await secret(reference, random: random)
            guard let key = Base64URL.decode(Array(text.revealed.utf8)), key.count == 32 else {
                throw KubernetesError(.malformedAnswer, message: "it holds no key; delete it and a new one is made")
            }
            return Redacted([key])
        } catch {
            logger.warning(
                "the session key cannot be kept: give the service account the rights of the chart, or set TOLLGATE_SESSION_KEY",
                metadata: [LogKeys.object: "\(reference)", LogKeys.reason: "\(error)"])
            return nil
        }
    }

    /// The text of a Secret of Tollgate's own, which is made where it is not there.
    private func secret(
        _ reference: APIObjectReference, random: any RandomSource
    ) async throws(KubernetesError) -> Redacted<String> {
        if let secret = try await find(reference) { return try Self.token(in: secret) }
        return try Self.token(in: try await make(reference, random: random))
    }

    private func find(_ reference: APIObjectReference) async throws(KubernetesError) -> JSONValue? {
        do throws(KubernetesError) {
            return try await api.get(reference, subresource: nil)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Makes the Secret; where another replica is faster, its text is everybody's.
    private func make(_ reference: APIObjectReference, random: any RandomSource)
        async throws(KubernetesError) -> JSONValue
    {
        let token = Base64URL.encode(random.bytes(32))
        let document: JSONValue = [
            "apiVersion": "v1", "kind": "Secret",
            "metadata": [
                "name": .string(reference.name), "namespace": .string(ownNamespace),
                "labels": ["app.kubernetes.io/managed-by": "tollgate", "tollgate.dev/managed": "true"],
            ], "type": "Opaque", "data": ["token": .string(Data(token.utf8).base64EncodedString())],
        ]
        do throws(KubernetesError) {
            let made = try await api.create(
                document, in: .secrets, namespace: ownNamespace, name: nil, subresource: nil)
            logger.notice("secret made", metadata: [LogKeys.object: "\(reference)"])
            return made
        } catch  where error.code == .alreadyExists {
            return try await api.get(reference, subresource: nil)
        }
    }

    private static func token(in secret: JSONValue) throws(KubernetesError) -> Redacted<String> {
        let text = secret["data"]?["token"]?.stringValue.flatMap { Data(base64Encoded: $0) }
            .map { ASCII.trimmed(String(decoding: $0, as: UTF8.self)) }
        guard let text, text.utf8.count >= 32 else {
            throw KubernetesError(
                .malformedAnswer,
                message: "it holds no token of at least 32 bytes under key token; delete it and a new one is made")
        }
        return Redacted(text)
    }
}
