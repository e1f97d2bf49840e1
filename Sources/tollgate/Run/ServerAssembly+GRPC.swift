// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import ExtAuthzService
internal import HTTPService
internal import Pipeline

extension ServerAssembly {
    /// The listener of Envoy's gRPC door, with the certificates and the bound on decisions of the other listeners.
    static func grpcListener(
        _ listener: GRPCListenerSettings, settings: TollgateSettings, http: HTTPListeners,
        dependencies: HTTPDependencies, readiness: Readiness, onRunning: @escaping @Sendable (Int?) async -> Void
    ) throws -> GRPCListener {
        do {
            return try GRPCListener(
                settings: GRPCSettings(
                    host: listener.address.host, port: listener.address.port,
                    clientAuthorities: listener.clientAuthorities, grace: settings.grace),
                certificates: http.certificates,
                dependencies: GRPCDependencies(
                    runner: http.runner,
                    records: DoorRecords(audit: dependencies.audit, metricsFactory: dependencies.metrics),
                    answers: CheckAnswers(metricsFactory: dependencies.metrics),
                    addresses: ClientAddressResolver(trusted: settings.listeners.trustedProxies), serving: readiness,
                    clock: dependencies.clock, logger: dependencies.logger),
                onRunning: onRunning)
        } catch {
            throw StartupProblem(
                "TOLLGATE_GRPC_CLIENT_CA_FILE: \(listener.clientAuthorities ?? "") cannot be used: \(error). "
                    + "Name a PEM file of certificates.")
        }
    }
}

extension Readiness: ServingStateReporting {
    /// What `/readyz` says.
    var isServing: Bool { !isDraining && !checks().contains { $0.status == .failed } }
}
