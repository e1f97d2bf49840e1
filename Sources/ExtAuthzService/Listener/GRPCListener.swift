// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
package import Logging
package import NIOCertificateReloading
package import Pipeline
internal import ServiceLifecycle

/// Everything that the gRPC door calls.
package struct GRPCDependencies: Sendable {
    /// Shared with the other doors, so that the bound on decisions at once is the process's.
    package var runner: DecisionRunner
    package var records: DoorRecords
    package var answers: CheckAnswers
    package var addresses: ClientAddressResolver
    package var serving: any ServingStateReporting
    package var clock: any WallClock
    package var logger: Logger

    package init(
        runner: DecisionRunner, records: DoorRecords, answers: CheckAnswers, addresses: ClientAddressResolver,
        serving: any ServingStateReporting, clock: any WallClock, logger: Logger
    ) {
        self.runner = runner
        self.records = records
        self.answers = answers
        self.addresses = addresses
        self.serving = serving
        self.clock = clock
        self.logger = logger
    }
}

/// The gRPC listener: Envoy's authorization service and the health service.
package struct GRPCListener: Service {
    typealias Transport = HTTP2ServerTransport.Custom<GRPCListenerFactory>

    private let server: GRPCServer<Transport>
    private let tls: ListenerTLS?
    private let refresh: Duration
    private let logger: Logger

    /// Prepares the listener.
    ///
    /// - Parameters:
    ///   - certificates: the pair in force; nil = no TLS.
    ///   - onRunning: called with the port once the listener accepts.
    /// - Throws: what is wrong with the file of the client authorities, or with the pair, before anything listens.
    package init(
        settings: GRPCSettings, certificates: (any CertificateReloader)?, dependencies: GRPCDependencies,
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws {
        let verifiedPeers = VerifiedPeers()
        tls = try certificates.map { try ListenerTLS(certificates: $0, authorities: settings.clientAuthorities) }
        refresh = settings.authoritiesRefresh
        logger = dependencies.logger
        let transport = Transport(
            listenerFactory: GRPCListenerFactory(
                settings: settings, tls: tls, verifiedPeers: verifiedPeers, onRunning: onRunning),
            config: Self.configuration(settings))
        server = GRPCServer(
            transport: transport,
            services: [
                AuthorizationService(
                    runner: dependencies.runner, records: dependencies.records, answers: dependencies.answers,
                    addresses: dependencies.addresses, verifiedPeers: verifiedPeers, clock: dependencies.clock),
                HealthService(state: dependencies.serving),
            ])
    }

    package func run() async throws {
        guard let tls, tls.changes else { return try await serve() }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await tls.watch(every: refresh, logger: logger) }
            try await serve()
            group.cancelAll()
        }
    }

    private func serve() async throws {
        let server = server
        try await withGracefulShutdownHandler {
            try await server.serve()
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }

    /// The library's settings with our bounds.
    static func configuration(_ settings: GRPCSettings) -> Transport.Config {
        var configuration = Transport.Config.defaults
        configuration.http2.maxConcurrentStreams = GRPCLimits.streamsPerConnection
        configuration.rpc.maxRequestPayloadSize = GRPCLimits.messageBytes
        configuration.connection.maxIdleTime = settings.idleTimeout
        configuration.connection.maxGraceTime = settings.grace
        // Proxies ask their idle connections whether they still live.
        configuration.connection.keepalive.clientBehavior = .init(
            minPingIntervalWithoutCalls: .seconds(5), allowWithoutCalls: true)
        // Every answer goes out at once: somebody waits for it.
        configuration.connection.flushCoalescing = nil
        return configuration
    }
}
