// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Keeps one connection to one server: connects again with growing, random pauses, asks whether it still answers, and gives up one that hangs.
///
/// Whoever asks never waits for a connection: without one the answer is `away` at once.
final class RedisNode: Sendable {
    /// What it is heard to do.
    enum Event: Sendable {
        case up(RedisEndpoint)
        case down(RedisError)
    }

    private struct State {
        var connection: RedisConnection?
        var timeouts = 0
        var isStopped = false
        var fault = RedisError(.away, "Redis was not reached yet")
    }

    private let state = Mutex(State())
    private let connect: @Sendable () async throws(RedisError) -> RedisConnection
    private let settings: RedisSettings
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let onEvent: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - connect: makes a connection that has answered.
    ///   - onEvent: told of the first connection, of a loss, and of the first failure to connect after either.
    init(
        settings: RedisSettings, time: any MonotonicClock, random: any RandomSource,
        connect: @escaping @Sendable () async throws(RedisError) -> RedisConnection,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        self.settings = settings
        self.time = time
        self.random = random
        self.connect = connect
        self.onEvent = onEvent
    }

    /// The connection; nil while there is none.
    var connection: RedisConnection? { state.withLock { $0.connection.flatMap { $0.isClosed ? nil : $0 } } }

    /// Why there is no connection.
    var fault: RedisError { state.withLock(\.fault) }

    /// Sends commands in one piece.
    ///
    /// - Throws: `away`, and what a connection throws.
    func send(_ commands: [RedisCommand], within limit: Duration) async throws(RedisError) -> [RESPValue] {
        guard let connection else { throw RedisError(.away, "Redis is away: \(fault.message)") }
        do throws(RedisError) {
            let replies = try await connection.send(commands, within: limit)
            if state.withLock({ $0.timeouts }) > 0 { state.withLock { $0.timeouts = 0 } }
            // A master that became a replica, or one that is about to load other data, is looked for anew.
            if replies.contains(where: Self.isOfReplica) { connection.close() }
            return replies
        } catch {
            if error.code == .timeout { timedOut(connection) }
            throw error
        }
    }

    private static func isOfReplica(_ reply: RESPValue) -> Bool {
        guard case .failure(let failure) = reply else { return false }
        return failure.code == "READONLY" || failure.code == "MASTERDOWN"
    }

    private func timedOut(_ connection: RedisConnection) {
        let isLost = state.withLock { state in
            guard state.connection === connection else { return false }
            state.timeouts += 1
            return state.timeouts >= settings.timeoutsUntilLost
        }
        if isLost { connection.close() }
    }

    /// Has `run` end: the server is none of ours any more.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            return state.connection
        }?.close()
    }

    private var hasToEnd: Bool { Task.isCancelled || state.withLock(\.isStopped) }

    /// Keeps a connection until it is stopped or cancelled.
    func run() async {
        var failures = 0
        while !hasToEnd {
            do throws(RedisError) {
                let connection = try await connect()
                failures = 0
                state.withLock { state in
                    state.connection = connection
                    state.timeouts = 0
                }
                onEvent(.up(connection.endpoint))
                let fault = await watch(connection)
                connection.close()
                drop(fault)
            } catch {
                failures += 1
                drop(error)
            }
            let pause = settings.pause(afterFailures: max(1, failures), random: random)
            // Cancelled: the loop ends by itself.
            try? await time.pause(for: pause)
        }
        state.withLock { $0.connection }?.close()
        state.withLock { $0.connection = nil }
    }

    private func drop(_ fault: RedisError) {
        state.withLock { state in
            state.connection = nil
            state.fault = fault
        }
        if !hasToEnd { onEvent(.down(fault)) }
    }

    /// Watches a connection until it ends or does not answer any more.
    private func watch(_ connection: RedisConnection) async -> RedisError {
        while !hasToEnd {
            let hasEnded = await time.limited(to: settings.healthInterval) {
                await connection.waitUntilClosed()
                return true
            }
            if hasEnded == true || connection.isClosed { break }
            do throws(RedisError) {
                _ = try await connection.send(RedisCommand("PING"), within: settings.connectTimeout)
            } catch {
                return error
            }
        }
        return RedisError(.lost, "the connection to \(connection.endpoint) ended")
    }
}
