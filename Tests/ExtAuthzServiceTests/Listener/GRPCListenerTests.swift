// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import Pipeline
internal import ServiceLifecycle
internal import Synchronization
internal import TestSupport
internal import Testing

@testable import ExtAuthzService

/// The listener on a real socket, asked by a real client.
@Suite(.timeLimit(.minutes(10))) struct GRPCListenerTests {
    private typealias Security = HTTP2ClientTransport.Posix.TransportSecurity
    private typealias Client = GRPCClient<HTTP2ClientTransport.Posix>
    private typealias Request = Envoy_Service_Auth_V3_CheckRequest

    /// A listener, and what stops it.
    private struct Running {
        let port: Int
        let group: ServiceGroup
    }

    private func serve(
        _ door: Door, serving: FakeServing = FakeServing(), pair: Pair? = nil, authorities: String? = nil,
        body: (Running) async throws -> Void
    ) async throws {
        let port = Mutex<Int?>(nil)
        var dependencies = door.dependencies
        dependencies.serving = serving
        let listener = try GRPCListener(
            settings: GRPCSettings(
                host: "127.0.0.1", port: 0, clientAuthorities: authorities, grace: .seconds(5),
                authoritiesRefresh: .milliseconds(20)),
            certificates: try pair?.reloader(), dependencies: dependencies,
            onRunning: { found in port.withLock { $0 = found } })
        let group = ServiceGroup(
            services: [listener], logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let bound = try await Eventually.value("the port") { port.withLock { $0 } }
            try await body(Running(port: bound, group: group))
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func ask<Value: Sendable>(
        _ port: Int, _ security: HTTP2ClientTransport.Posix.TransportSecurity = .plaintext,
        _ body: (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Value
    ) async throws -> Value {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: security)
        return try await withGRPCClient(transport: transport) { try await body($0) }
    }

    private func check(
        _ client: GRPCClient<HTTP2ClientTransport.Posix>, _ request: Envoy_Service_Auth_V3_CheckRequest = .about()
    ) async throws -> Envoy_Service_Auth_V3_CheckResponse {
        var options = CallOptions.defaults
        options.timeout = .seconds(20)
        return try await Envoy_Service_Auth_V3_Authorization.Client(wrapping: client).check(request, options: options)
    }

    private func trusting(_ pair: Pair, with own: Pair? = nil) -> HTTP2ClientTransport.Posix.TransportSecurity {
        .tls {
            $0.trustRoots = .certificates([.bytes(Array(pair.certificate.utf8), format: .pem)])
            $0.serverCertificateVerification = .noHostnameVerification
            guard let own else { return }
            $0.certificateChain = [.bytes(Array(own.certificate.utf8), format: .pem)]
            $0.privateKey = .bytes(Array(own.key.utf8), format: .pem)
        }
    }

    private func local(_ trusted: [String] = ["127.0.0.1/32"]) -> Door {
        var door = Door()
        door.trusted = trusted
        return door
    }

    @Test func answersOverASocketAndHandsTheDeadlineOn() async throws {
        let door = local()
        try await serve(door) { running in
            try await ask(running.port) { client in
                for _ in 0..<20 {
                    let answer = try await check(client)
                    #expect(!answer.okResponse.headers.isEmpty)
                }
            }
        }
        let patience = try #require(door.decider.inputs.first?.patience)
        #expect(patience > .seconds(15) && patience <= .seconds(20))
    }

    @Test func refusesAStrangerAndALargeMessage() async throws {
        let stranger = local([])
        try await serve(stranger) { running in
            try await ask(running.port) { client in
                let error = await #expect(throws: RPCError.self) { try await check(client) }
                #expect(error?.code == .permissionDenied)
            }
        }
        let door = local()
        try await serve(door) { running in
            try await ask(running.port) { client in
                let large = Request.about { $0.request.http.rawBody = .init(count: 256 * 1024) }
                await #expect(throws: RPCError.self) { try await check(client, large) }
            }
        }
        #expect(door.decider.inputs.isEmpty)
    }

    @Test func trustsACertificateOfItsAuthorityAndNoOther() async throws {
        let (server, client, other) = (try Pair(name: "localhost"), try Pair(name: "proxy"), try Pair(name: "proxy"))
        let folder = try TemporaryDirectory()
        let authorities = try folder.write(client.certificate, to: "clients.pem")
        let door = local([])
        try await serve(door, pair: server, authorities: authorities) { running in
            try await ask(running.port, trusting(server, with: client)) { channel in
                let answer = try await check(channel)
                #expect(answer.status.code == 0)
            }
            // Without a certificate the call is refused, the health still told.
            try await ask(running.port, trusting(server)) { channel in
                let error = await #expect(throws: RPCError.self) { try await check(channel) }
                #expect(error?.code == .permissionDenied)
                let health = Grpc_Health_V1_Health.Client(wrapping: channel)
                let state = try await health.check(.init())
                #expect(state.status == .serving)
            }
            var options = CallOptions.defaults
            options.timeout = .seconds(2)
            let short = options
            try await ask(running.port, trusting(server, with: other)) { channel in
                let service = Envoy_Service_Auth_V3_Authorization.Client(wrapping: channel)
                await #expect(throws: RPCError.self) { try await service.check(.about(), options: short) }
            }
        }
        #expect(door.decider.inputs.count == 1)
    }

    @Test func takesNewAuthoritiesWithoutARestartAndKeepsTheLastGoodOnes() async throws {
        let (server, client) = (try Pair(name: "localhost"), try Pair(name: "proxy"))
        let folder = try TemporaryDirectory()
        let authorities = try folder.write(try Pair(name: "another").certificate, to: "clients.pem")
        try await serve(local([]), pair: server, authorities: authorities) { running in
            var options = CallOptions.defaults
            options.timeout = .seconds(2)
            let short = options
            @Sendable func isTrusted() async throws -> Bool {
                try await ask(running.port, trusting(server, with: client)) { channel in
                    let service = Envoy_Service_Auth_V3_Authorization.Client(wrapping: channel)
                    do {
                        return try await service.check(.about(), options: short).status.code == 0
                    } catch is RPCError {
                        return false
                    }
                }
            }
            #expect(try await !isTrusted())
            try folder.write(client.certificate, to: "clients.pem")
            try await Eventually.holds("the new authority") { try await isTrusted() }
            try folder.write("broken", to: "clients.pem")
            for _ in 0..<10 { #expect(try await isTrusted()) }
        }
    }

    @Test func boundsCallsAndMessages() {
        let configuration = GRPCListener.configuration(GRPCSettings(host: "127.0.0.1", port: 0))
        #expect(configuration.http2.maxConcurrentStreams == 1000)
        #expect(configuration.rpc.maxRequestPayloadSize == 262_144)
        #expect(configuration.connection.maxIdleTime == .seconds(75))
        #expect(configuration.connection.maxGraceTime == .seconds(25))
        #expect(configuration.connection.flushCoalescing == nil)
    }

    @Test func trustsAnAddressOverTLSWithoutACertificate() async throws {
        let server = try Pair(name: "localhost")
        try await serve(local(), pair: server) { running in
            try await ask(running.port, trusting(server)) { channel in
                let answer = try await check(channel)
                #expect(answer.status.code == 0)
            }
        }
    }

    @Test func startsWithNoBrokenAuthorities() throws {
        let folder = try TemporaryDirectory()
        let broken = try folder.write("broken", to: "clients.pem")
        let certificates = try Pair(name: "localhost").reloader()
        for path in [broken, folder.path("missing.pem")] {
            #expect(throws: (any Error).self) {
                try GRPCListener(
                    settings: GRPCSettings(host: "127.0.0.1", port: 0, clientAuthorities: path),
                    certificates: certificates, dependencies: Door().dependencies)
            }
        }
    }

    @Test func watchesTheHealthUntilTheServerStops() async throws {
        let serving = FakeServing()
        try await serve(local(), serving: serving) { running in
            let seen = SeenStates()
            try await ask(running.port) { client in
                let health = Grpc_Health_V1_Health.Client(wrapping: client)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask {
                        try await health.watch(.init()) { response in
                            for try await message in response.messages { seen.append(message.status) }
                        }
                    }
                    try await Eventually.holds("the first state") { seen.all == [.serving] }
                    serving.become(false)
                    try await Eventually.holds("the change") { seen.all == [.serving, .notServing] }
                    await running.group.triggerGracefulShutdown()
                    // The stream ends by itself: nothing holds the shutdown up.
                    try await tasks.waitForAll()
                }
            }
        }
    }

    @Test func watchesAServiceThatIsNotThere() async throws {
        try await serve(local()) { running in
            try await ask(running.port) { client in
                var request = Grpc_Health_V1_HealthCheckRequest()
                request.service = "nothing"
                let first = try await Grpc_Health_V1_Health.Client(wrapping: client).watch(request) { response in
                    for try await message in response.messages { return message.status }
                    return .unknown
                }
                #expect(first == .serviceUnknown)
            }
        }
    }
}

/// What a stream of changes said so far.
private final class SeenStates: Sendable {
    private let states = Mutex<[Grpc_Health_V1_HealthCheckResponse.ServingStatus]>([])

    var all: [Grpc_Health_V1_HealthCheckResponse.ServingStatus] { states.withLock { $0 } }

    func append(_ state: Grpc_Health_V1_HealthCheckResponse.ServingStatus) { states.withLock { $0.append(state) } }
}
