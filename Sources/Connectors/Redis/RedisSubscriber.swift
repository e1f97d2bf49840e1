// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Listens to channels, on a connection of its own, and again after every loss.
///
/// What is published while there is no connection is lost, as Redis' publishing is: `onUp` tells whoever listens to look for what it missed.
package struct RedisSubscriber: Sendable {
    private let client: RedisClient
    private let channels: [String]

    /// - Parameter channels: at least one.
    package init(_ client: RedisClient, channels: [String]) {
        self.client = client
        self.channels = channels
    }

    /// Listens until it is cancelled. The bodies are called from one connection's thread at a time and must not block.
    ///
    /// - Parameters:
    ///   - onUp: after each time the subscription has come about.
    ///   - onDown: after each loss, once.
    package func run(
        onMessage: @escaping @Sendable (_ channel: String, _ payload: [UInt8]) -> Void,
        onUp: @Sendable () -> Void = {}, onDown: @Sendable (RedisError) -> Void = { _ in }
    ) async {
        var failures = 0
        var isUp = false
        while !Task.isCancelled {
            do throws(RedisError) {
                let connection = try await client.dedicated(key: channels.first ?? "", onMessage: onMessage)
                defer { connection.close() }
                _ = try await connection.send(
                    [RedisCommand(words: ["SUBSCRIBE"] + channels)], replies: channels.count,
                    within: client.settings.connectTimeout)
                failures = 0
                isUp = true
                onUp()
                try await watch(connection)
            } catch {
                failures += 1
                if isUp { onDown(error) }
                isUp = false
            }
            // Cancelled: the loop ends by itself.
            try? await client.pause(afterFailures: max(1, failures))
        }
    }

    /// Asks now and then whether the server is still there: one that is cut off would be silent for ever.
    private func watch(_ connection: RedisConnection) async throws(RedisError) {
        while !Task.isCancelled {
            let hasEnded = await client.clock.limited(to: client.settings.healthInterval) {
                await connection.waitUntilClosed()
                return true
            }
            if hasEnded == true || connection.isClosed {
                throw RedisError(.lost, "the connection to \(connection.endpoint) ended")
            }
            _ = try await connection.send([RedisCommand("PING")], within: client.settings.connectTimeout)
        }
    }
}
