// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport

/// A client that keeps its connections while a test runs.
enum RedisWorld {
    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    static let metrics = NOOPMetricsHandler.instance

    /// Settings that a busy machine keeps: a command may take long, and connecting longer.
    static func settings(_ url: String, command: Duration = .seconds(120)) throws -> RedisSettings {
        RedisSettings(
            address: try RedisAddress(parsing: url), commandTimeout: command, connectTimeout: .seconds(120),
            healthInterval: .milliseconds(200), longestPause: .milliseconds(200))
    }

    /// Runs `body` with a client that runs.
    static func with<Value: Sendable>(
        _ settings: RedisSettings, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        waits: Bool = true, _ body: @escaping @Sendable (RedisClient) async throws -> Value
    ) async throws -> Value {
        let client = try RedisClient(settings, logger: logger, metricsFactory: metrics)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                await client.run()
                return nil
            }
            group.addTask {
                if waits { try await up(client) }
                return try await body(client)
            }
            defer { group.cancelAll() }
            while let value = try await group.next() { if let value { return value } }
            throw PeerFault(message: "the client ended by itself")
        }
    }

    /// Waits until Redis is there.
    static func up(_ client: RedisClient) async throws {
        do {
            try await Eventually.holds("Redis to be there") { client.status.isUp }
        } catch {
            throw PeerFault(message: "\(error): \(client.status)")
        }
    }

    /// Waits until Redis is away.
    static func down(_ client: RedisClient) async throws {
        try await Eventually.holds("Redis to be away") { !client.status.isUp }
    }
}

/// Something that several tasks write down.
final class Noted<Value: Sendable>: Sendable {
    private let state: Mutex<[Value]>

    init() { state = Mutex([]) }

    var all: [Value] { state.withLock { $0 } }

    func note(_ value: Value) { state.withLock { $0.append(value) } }
}
