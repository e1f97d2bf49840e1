// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ServiceLifecycle

/// Work that ends by being cancelled, as a service: cancelled when the group shuts down, in the group's order.
struct ClosureService: Service {
    let name: String
    let work: @Sendable () async throws -> Void

    func run() async throws {
        let work = work
        try await cancelWhenGracefulShutdown { try await work() }
    }
}

/// Work that ends when it is told to, after what it has begun, as a service.
struct StoppableService: Service {
    let name: String
    let work: @Sendable () async -> Void
    let stop: @Sendable () -> Void

    func run() async throws {
        await withGracefulShutdownHandler {
            await work()
        } onGracefulShutdown: {
            stop()
        }
    }
}
