// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Wakes replicas up over a channel of Redis: also where the way to the database lets no notifications through, as poolers of transactions do.
///
/// A notice says that there is something to read, and nothing else. One that is lost costs no more than the time until the next look.
package final class RedisChangeSignal: ChangeSignal {
    package let name = "redis"
    private let client: RedisClient
    private let channel: String
    private let announced = Signal()

    package init(_ client: RedisClient) {
        self.client = client
        channel = client.key("tollgate:changes")
    }

    /// Has the replicas told soon. Calls before it has happened are one.
    package func announce() { announced.call() }

    package func run(_ tell: @escaping @Sendable (ChangeSignalEvent) -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.publish() }
            group.addTask { [client, channel] in
                await RedisSubscriber(client, channels: [channel]).run(
                    onMessage: { _, _ in tell(.notice) }, onUp: { tell(.up) }, onDown: { _ in tell(.down) })
            }
        }
    }

    private func publish() async {
        while !Task.isCancelled {
            await announced.wait()
            guard !Task.isCancelled else { return }
            // While Redis is away the database tells, or the next look.
            _ = try? await client.send(RedisCommand("PUBLISH", channel, ""), key: channel)
        }
    }
}
