// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Logging
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// The entries of all replicas, series by series.
    @Suite struct SharedTrailTests {
        @Test func givesEachSeriesInOrderAndWhereItStands() async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                let index = PostgreSQLAuditIndex(pool)
                #expect(try await index.heads() == [:])
                for writer in ["a", "b"] {
                    try await index.add(
                        (0..<25).map {
                            try LiveRows.row($0, tenant: $0 % 2 == 0 ? "acme" : nil, writer: writer)
                        })
                }
                #expect(try await index.heads() == ["a": 25, "b": 25])
                let rows = try await index.rows(of: "a", after: 3, limit: 10)
                #expect(rows.map(\.sequence) == Array(4...13) && rows.allSatisfy { $0.writer == "a" })
                #expect(try await index.rows(of: "a", after: 25, limit: 10) == [])
                #expect(try await index.rows(of: "c", after: 0, limit: 10) == [])
                try await index.removeAll(writer: "a")
                #expect(try await index.heads() == ["a~1": 25, "b": 25])
            }
        }

        @Test func tellsWhoseSeriesHasGrown() async throws {
            let database = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withPool(database.url) { pool in
                let heard = Noted<NoticeEvent>()
                let channel = PostgreSQLNoticeChannel(
                    pool,
                    PostgreSQLListener(pool.settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
                    channel: "tollgate_events")
                let index = PostgreSQLAuditIndex(pool)
                index.observeAdditions { channel.announce($0) }
                await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await channel.run { heard.note($0) } }
                    group.addTask {
                        try await Eventually.holds("the channel") { heard.all.contains(.up) }
                        try await index.add([try LiveRows.row(0, writer: "a"), try LiveRows.row(0, writer: "b")])
                        try await Eventually.holds("both notices") {
                            heard.all.contains(.notice("a")) && heard.all.contains(.notice("b"))
                        }
                    }
                    _ = try? await group.next()
                    group.cancelAll()
                }
                #expect(heard.all.contains(.notice("b")))
            }
        }
    }
}
