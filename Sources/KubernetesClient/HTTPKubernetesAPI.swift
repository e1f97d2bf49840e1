// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
package import Essentials
package import Logging
package import Metrics
internal import NIOCore
internal import NIOHTTP1
package import ResourceModel

/// The Kubernetes API over HTTPS.
package final class HTTPKubernetesAPI: KubernetesAPI {
    /// Limits, each with the value that is right in operation.
    package struct Settings: Sendable {
        /// For a connection with its TLS handshake.
        package var connectTimeout = Duration.seconds(10)
        /// For one attempt, from the connection to the last byte. Watches have their own.
        package var requestTimeout = Duration.seconds(30)
        /// How often the server is asked for a sign of life on an HTTP/2 connection.
        package var pingInterval = Duration.seconds(30)
        /// How long that may take before the connection is given up.
        package var pingPatience = Duration.seconds(15)
        /// For one object, also as an item of a list and as a line of a watch.
        package var maximumObjectBytes = 8 << 20
        /// Under which name the fields are kept that are written.
        package var fieldManager = "tollgate"
        var retries = RetryRule()

        /// The values for operation.
        package init() {}
    }

    private let transport: APITransport
    private let time: any MonotonicClock
    private let maximumObjectBytes: Int
    private let manager: String

    /// A client for one server. It connects with the first call; `shutdown()` when it is no longer needed.
    ///
    /// - Parameters:
    ///   - userAgent: `tollgate/<version> (<os>/<arch>) <role>`.
    ///   - time: for pauses, ages and watches without a byte.
    /// - Throws: `badField` for a server that is no URL, and for certificates and keys that cannot be used.
    package init(
        _ connection: ClusterConnection, userAgent: String, settings: Settings = Settings(),
        time: any MonotonicClock = SystemMonotonicClock(), clock: any WallClock, random: any RandomSource,
        metrics: any MetricsFactory, logger: Logger
    ) throws(ClusterConnectionError) {
        guard let url = ServerURL(connection.server) else {
            throw ClusterConnectionError(
                .badField, "server: \"\(connection.server.prefix(256))\" is no URL like https://host:port")
        }
        self.time = time
        maximumObjectBytes = settings.maximumObjectBytes
        manager = settings.fieldManager
        let runner = ExecPluginRunner(time: time, cluster: ExecClusterInfo.document(of: connection))
        transport = APITransport(
            urlPrefix: url.text(host: connection.tlsServerName),
            hostHeader: connection.tlsServerName == nil ? nil : url.hostHeader, userAgent: userAgent,
            settings: settings,
            pool: ClientPool(
                ClientFactory(connection, settings: settings), logger: logger),
            credentials: CredentialStore(
                connection.credential, runner: runner, time: time, clock: clock, logger: logger),
            material: TLSMaterialReader(connection, time: time, logger: logger),
            metrics: RESTClientMetrics(factory: metrics), time: time, random: random)
        // A certificate that cannot be used is a fault of the start, not of the first call.
        if let pair = try transport.pool.lease(try transport.material.current()) { transport.pool.release(pair) }
    }

    /// Ends all calls (`cancelled`) and closes all connections; later calls end the same way.
    package func shutdown() async { await transport.pool.shutdown() }

    package func get(_ object: APIObjectReference, subresource: String?) async throws(KubernetesError) -> JSONValue {
        try await document(.get(object, subresource: subresource))
    }

    package func create(
        _ object: JSONValue, in resource: APIResource, namespace: String?, name: String?, subresource: String?
    ) async throws(KubernetesError) -> JSONValue {
        try await document(
            .create(
                object, in: resource, namespace: namespace, name: name, subresource: subresource, manager: manager))
    }

    package func replace(
        _ object: JSONValue, at reference: APIObjectReference, subresource: String?
    ) async throws(KubernetesError) -> JSONValue {
        try await document(.replace(object, at: reference, subresource: subresource, manager: manager))
    }

    package func patch(
        _ reference: APIObjectReference, subresource: String?, _ patch: PatchBody
    ) async throws(KubernetesError) -> JSONValue {
        try await document(.patch(reference, subresource: subresource, patch, manager: manager))
    }

    package func delete(
        _ reference: APIObjectReference, _ conditions: DeleteConditions
    ) async throws(KubernetesError) {
        _ = try await document(.delete(reference, conditions))
    }

    package func versions(ofGroup group: String) async throws(KubernetesError) -> [String] {
        let answer: JSONValue
        do {
            answer = try await document(.versions(ofGroup: group))
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
        return try DiscoveryReader.versions(answer)
    }

    package func list(_ query: ListQuery, each: (JSONValue) -> Void) async throws(KubernetesError) -> ListPage {
        let resource = query.selection.resource
        var hasDelivered = false
        return try await transport.perform(.list(query), mayRepeat: { !hasDelivered }) { response in
            var reader = ListReader(maximumItemBytes: maximumObjectBytes, resource: resource)
            for try await chunk in response.body {
                try reader.take(chunk.readableBytesView) { item in
                    hasDelivered = true
                    each(item)
                }
            }
            return try reader.page()
        }
    }

    package func watch(
        _ query: WatchQuery, each: (WatchEvent) async -> WatchStep
    ) async throws(KubernetesError) {
        try await WatchRunner(transport: transport, time: time, maximumLineBytes: maximumObjectBytes)
            .run(query, each: each)
    }

    private func document(_ request: APIRequest) async throws(KubernetesError) -> JSONValue {
        try await transport.perform(request) { response in
            let body = try await response.body.collect(upTo: maximumObjectBytes)
            do {
                return try JSONParser.parse(Array(body.readableBytesView), limits: .kubernetes)
            } catch {
                throw KubernetesError(
                    .malformedAnswer, status: Int(response.status.code),
                    message: "the answer of the API server is not JSON: \(error)")
            }
        }
    }
}
