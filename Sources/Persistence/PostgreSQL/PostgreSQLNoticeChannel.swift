// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Notices of the database, with a text each.
package final class PostgreSQLNoticeChannel: NoticeChannel {
    package let name = "listen"
    private let database: PostgreSQLDatabase
    private let listener: PostgreSQLListener
    private let channel: String
    private let outbox = ChannelOutbox()

    /// - Parameter channel: a constant of the program.
    package init(_ database: PostgreSQLDatabase, _ listener: PostgreSQLListener, channel: String) {
        self.database = database
        self.listener = listener
        self.channel = channel
    }

    package func announce(_ text: String) { outbox.put(text) }

    package func run(_ tell: @escaping @Sendable (NoticeEvent) -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { [outbox, database, channel] in
                await outbox.run { texts in
                    // While the database is away whoever listens looks by itself.
                    _ = try? await database.query(
                        .none, "SELECT pg_catalog.pg_notify($1, n.text) FROM unnest($2::text[]) AS n (text)",
                        [.text(channel), .texts(texts)])
                }
            }
            group.addTask { [listener, channel] in
                await listener.run(
                    channel: channel, onNotice: {}, onText: { tell(.notice($0)) }, onUp: { tell(.up) },
                    onDown: { _ in tell(.down) })
            }
        }
    }
}
