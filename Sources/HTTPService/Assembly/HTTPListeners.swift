// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Hummingbird
internal import HummingbirdCore
internal import HummingbirdHTTP2
internal import HummingbirdTLS
internal import Logging
package import NIOCertificateReloading
internal import NIOCore
internal import NIOHTTPTypes
internal import NIOSSL
package import Pipeline
package import ServiceLifecycle

/// Makes the listeners of the process.
package struct HTTPListeners: Sendable {
    private let settings: HTTPSettings
    private let dependencies: HTTPDependencies
    private let reloader: TimedCertificateReloader?
    /// One for all listeners, so that the bound is the process's.
    package let runner: DecisionRunner

    /// Prepares the listeners.
    ///
    /// - Throws: what is wrong with the certificate or key file, before anything listens.
    package init(settings: HTTPSettings, dependencies: HTTPDependencies) throws {
        self.settings = settings
        self.dependencies = dependencies
        runner = DecisionRunner(settings: settings, dependencies: dependencies)
        let logger = dependencies.logger
        reloader = try settings.tls.map { files in
            var configuration = TimedCertificateReloader.Configuration(
                refreshInterval: settings.certificateRefresh,
                certificateSource: .init(location: .file(path: files.certificate), format: .pem),
                privateKeySource: .init(location: .file(path: files.privateKey), format: .pem))
            configuration.onCertificateLoadFailed = { failure in
                logger.warning(
                    "the certificate and key files cannot be used; the last good pair stays",
                    metadata: [LogKeys.error: "\(failure.error)"])
            }
            return try TimedCertificateReloader.makeReloaderValidatingSources(configuration: configuration)
        }
    }

    /// What runs beside the listeners: the certificate reloader, when there is TLS.
    package var services: [any Service] { reloader.map { [CertificateWatch(reloader: $0)] } ?? [] }

    /// The certificate pair in force, for listeners that are not made here; nil without TLS.
    package var certificates: (any CertificateReloader)? { reloader }

    /// The API listener; it has the forward-auth doors too unless they have a listener of their own.
    ///
    /// - Parameter onRunning: called with the port once the listener accepts.
    package func api(
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        let duties: ListenerDuties = settings.decisions == nil ? [.ownAPI, .forwardAuth] : .ownAPI
        return try application(settings.api, duties, onRunning)
    }

    /// The listener of the forward-auth doors, when they have one of their own.
    package func decisions(
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws -> (some ApplicationProtocol)? {
        try settings.decisions.map { try application($0, .forwardAuth, onRunning) }
    }

    /// The listener of health, readiness and metrics: no TLS, no credential.
    package func probes(
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws -> (some ApplicationProtocol)? {
        try settings.probes.map { try application($0, .probes, onRunning) }
    }

    private func application(
        _ address: ListenAddress, _ duties: ListenerDuties, _ onRunning: @escaping @Sendable (Int?) async -> Void
    ) throws -> Application<GateResponder> {
        let overTLS = reloader != nil && duties != .probes
        return Application(
            responder: GateResponder(
                settings: settings, dependencies: dependencies, duties: duties, overTLS: overTLS, runner: runner),
            server: try server(overTLS: overTLS),
            configuration: .init(address: .hostname(address.host, port: address.port), serverName: nil),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port) },
            logger: dependencies.logger)
    }

    private func server(overTLS: Bool) throws -> HTTPServerBuilder {
        let (timeout, clock) = (settings.readTimeout, dependencies.clock)
        let http1 = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGate(readTimeout: timeout, clock: clock)],
            idleTimeout: .init(settings.idleTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: HTTPLimits.headBytes, maxHeaderListSize: HTTPLimits.headBytes,
                maxHeaderFieldCount: HTTPLimits.headLines))
        guard overTLS, let reloader else { return .http1(configuration: http1) }
        let tls = try TLSConfiguration.makeServerConfiguration(certificateReloader: reloader)
        return try .http2Upgrade(
            tlsConfiguration: tls,
            configuration: .init(idleTimeout: settings.idleTimeout, streamConfiguration: http1))
    }
}

/// Runs the certificate reloader as a service.
struct CertificateWatch: Service {
    let reloader: TimedCertificateReloader

    func run() async throws { try await reloader.run() }
}
