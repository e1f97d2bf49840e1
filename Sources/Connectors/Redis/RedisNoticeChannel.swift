// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Notices over a channel of Redis.
package final class RedisNoticeChannel: NoticeChannel {
    package let name = "redis"
    private let client: RedisClient
    private let channel: String
    private let outbox = ChannelOutbox()

    /// - Parameter channel: its name, before the prefix of the settings.
    package init(_ client: RedisClient, channel: String) {
        self.client = client
        self.channel = client.key(channel)
    }

    package func announce(_ text: String) { outbox.put(text) }

    package func run(_ tell: @escaping @Sendable (NoticeEvent) -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { [outbox, client, channel] in
                await outbox.run { texts in
                    // While Redis is away whoever listens looks by itself.
                    _ = try? await client.send(
                        texts.map { RedisCommand("PUBLISH", channel, $0) }, key: channel)
                }
            }
            group.addTask { [client, channel] in
                await RedisSubscriber(client, channels: [channel]).run(
                    onMessage: { _, payload in tell(.notice(String(decoding: payload, as: UTF8.self))) },
                    onUp: { tell(.up) }, onDown: { _ in tell(.down) })
            }
        }
    }
}
