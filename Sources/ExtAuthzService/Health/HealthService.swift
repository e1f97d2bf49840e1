// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import ServiceLifecycle
internal import SwiftProtobuf
internal import Synchronization

/// `grpc.health.v1.Health`: what the readiness probe says, for whoever asks over gRPC. Open to everybody, so it says nothing else.
struct HealthService: Grpc_Health_V1_Health.ServiceProtocol {
    typealias Request = Grpc_Health_V1_HealthCheckRequest
    typealias Response = Grpc_Health_V1_HealthCheckResponse

    /// Streams of changes at once; each costs a look at the state every interval.
    static let maximumWatchers = 256

    private let state: any ServingStateReporting
    /// How often a stream of changes looks at the state.
    private let interval: Duration
    private let watchers = WatcherCount()

    init(state: any ServingStateReporting, interval: Duration = .milliseconds(500)) {
        self.state = state
        self.interval = interval
    }

    /// The whole server, or the one service that is worth asking about.
    private static func knows(_ service: String) -> Bool {
        service.isEmpty || service == Envoy_Service_Auth_V3_Authorization.descriptor.fullyQualifiedService
    }

    private var status: Response.ServingStatus { state.isServing ? .serving : .notServing }

    func check(request: ServerRequest<Request>, context: ServerContext) async throws -> ServerResponse<Response> {
        guard Self.knows(request.message.service) else {
            throw RPCError(code: .notFound, message: "no such service is served here")
        }
        return ServerResponse(message: .with { $0.status = status })
    }

    func watch(
        request: ServerRequest<Request>, context: ServerContext
    ) async throws -> StreamingServerResponse<Response> {
        let isKnown = Self.knows(request.message.service)
        guard watchers.enter() else {
            throw RPCError(code: .resourceExhausted, message: "too many watch the health: ask with Check")
        }
        return StreamingServerResponse { writer in
            defer { watchers.leave() }
            try await tell(writer, isKnown: isKnown, until: context.cancellation)
            return [:]
        }
    }

    /// Writes the state, and each change of it, until the caller goes or the server stops.
    private func tell(
        _ writer: RPCWriter<Response>, isKnown: Bool, until cancellation: ServerContext.RPCCancellationHandle
    ) async throws {
        var told: Response.ServingStatus?
        while true {
            let now = isKnown ? status : .serviceUnknown
            if now != told {
                try await writer.write(.with { $0.status = now })
                told = now
            }
            guard !cancellation.isCancelled, !Task.isShuttingDownGracefully else { return }
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
            } catch is CancellationError {
                guard !cancellation.isCancelled, !Task.isCancelled else { return }
            }
        }
    }
}

/// Counts the streams of changes.
private final class WatcherCount: Sendable {
    private let count = Atomic<Int>(0)

    /// - Returns: false when there are too many already.
    func enter() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue <= HealthService.maximumWatchers else {
            leave()
            return false
        }
        return true
    }

    func leave() { count.wrappingSubtract(1, ordering: .relaxed) }
}
