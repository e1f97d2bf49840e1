// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// Replicas wake each other up over a real Redis.
@Suite(.timeLimit(.minutes(10)))
struct RedisChangeSignalTests {
    @Test func wakesEverybodyUpAndAgainAfterALoss() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let (one, two) = (RedisChangeSignal(client), RedisChangeSignal(client))
                let heard = Noted<ChangeSignalEvent>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await one.run { _ in } }
                    group.addTask { await two.run { heard.note($0) } }
                    try await Eventually.holds("a subscription") { heard.all == [.up] }
                    one.announce()
                    try await Eventually.holds("a notice") { heard.all.contains(.notice) }
                    try await server.kill()
                    try await Eventually.holds("the loss") { heard.all.last == .down }
                    // Nobody is told, and nobody waits.
                    one.announce()
                    try await server.restart()
                    try await Eventually.holds("another subscription") { heard.all.last == .up }
                    try await RedisWorld.up(client)
                    one.announce()
                    try await Eventually.holds("another notice") { heard.all.last == .notice }
                    #expect(heard.all.count { $0 == .up } == 2 && heard.all.count { $0 == .down } == 1)
                    group.cancelAll()
                }
            }
        }
    }

    @Test func channelsOfInstallationsAreApart() async throws {
        try await RedisServer.with { server in
            try await RedisWorld.with(try RedisWorld.settings(server.url)) { client in
                let own = RedisChangeSignal(client)
                let other = RedisChangeSignal(client.sharing(prefix: "other:"))
                let heard = Noted<ChangeSignalEvent>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await own.run { heard.note($0) } }
                    group.addTask { await other.run { _ in } }
                    try await Eventually.holds("a subscription") { heard.all == [.up] }
                    other.announce()
                    own.announce()
                    try await Eventually.holds("a notice") { heard.all.contains(.notice) }
                    #expect(heard.all == [.up, .notice])
                    group.cancelAll()
                }
            }
        }
    }
}
