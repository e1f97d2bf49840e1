// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import CoreMetrics
internal import Essentials
internal import Foundation
internal import Logging
internal import Persistence
internal import TestSupport
internal import Testing

@Suite struct AuditIndexTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "index-\(UUID().uuidString)")
        // what is left over in a temporary directory hurts nobody
        defer { try? FileManager.default.removeItem(at: url) }
        try await body(url.path)
    }

    private func trail(_ directory: String, index: any AuditIndexing) -> AuditLog {
        var settings = AuditSettings(directory: directory, writer: "w1")
        settings.memoryEntries = 128
        return AuditLog(
            settings: settings, index: index, clock: ManualClock(), random: SeededRandom(seed: 1),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
    }

    private func draft(_ number: Int) -> AuditDraft {
        AuditDraft(
            actor: "user-\(number % 3)", action: "a.\(number % 2)", resource: "r\(number)", outcome: .success,
            ip: "10.0.0.\(number % 5)", sessionID: "s\(number % 7)", tenant: number % 2 == 0 ? "acme" : nil)
    }

    @Test func holdsEverythingAfterCatchingUp() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/w1/index.sqlite"
            let first = trail(directory, index: try SQLiteAuditIndex(path: path))
            try first.open()
            for number in 0..<500 { #expect(first.acceptNow(draft(number))) }
            await first.close()

            // A new index, as after a loss: it is built from the segments when the trail is closed or runs.
            try FileManager.default.removeItem(atPath: path)
            let index = try SQLiteAuditIndex(path: "\(directory)/w1/new.sqlite")
            let second = trail(directory, index: index)
            try second.open()
            await second.close()
            #expect(try await index.lastSequence(writer: "w1") == 500)
            for (name, count) in [("user-1", 167), ("nobody", 0)] {
                var query = AuditQuery()
                query.actor = name
                let rows = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 1000))
                #expect(rows.count == count)
            }
        }
    }

    @Test func answersEveryFilterLikeMemoryDoes() async throws {
        try await withDirectory { directory in
            let index = try SQLiteAuditIndex(path: "\(directory)/index.sqlite")
            let lines = SegmentText.lines(
                writer: "w1", created: Timestamp(seconds: 1), firstSequence: 1, previousSegment: nil,
                previousHash: ChainHasher.zeros,
                entries: (0..<200).map {
                    let at = Timestamp(microseconds: Int64(1_000_000 + $0 / 2))
                    return (UUIDv7.make(at: at), at, draft($0))
                }, closed: nil)
            let rows = lines.dropFirst().compactMap { AuditRow(line: $0, writer: "w1") }
            #expect(rows.count == 200)
            try await index.add(rows)
            try await index.add(rows)
            for query in queries() {
                for order in [AuditQuery.Order.ascending, .descending] {
                    var query = query
                    query.order = order
                    let after = AuditIndexRequest.Position(at: rows[90].at, id: rows[90].id)
                    for place in [nil, after] {
                        let request = AuditIndexRequest(query: query, after: place, limit: 20)
                        let expected = rows.filter { request.matches($0) }.sorted {
                            order == .ascending ? AuditRow.precedes($0, $1) : AuditRow.precedes($1, $0)
                        }
                        #expect(try await index.rows(request).map(\.id) == expected.prefix(20).map(\.id))
                    }
                }
            }
        }
    }

    private func queries() -> [AuditQuery] {
        var queries = [AuditQuery()]
        let changes: [(inout AuditQuery) -> Void] = [
            { $0.actor = "user-1" }, { $0.action = "a.1" }, { $0.resource = "r17" }, { $0.outcome = .success },
            { $0.outcome = .denied }, { $0.tenant = "acme" }, { $0.sessionID = "s3" }, { $0.ip = "10.0.0.2" },
            { $0.from = Timestamp(microseconds: 1_000_040) }, { $0.to = Timestamp(microseconds: 1_000_060) },
        ]
        for change in changes {
            var one = AuditQuery()
            change(&one)
            queries.append(one)
            for other in changes {
                var two = one
                other(&two)
                queries.append(two)
            }
        }
        return queries
    }

    @Test func stopsAQueryThatIsTooWide() async throws {
        try await withDirectory { directory in
            let index = try SQLiteAuditIndex(path: "\(directory)/index.sqlite", limits: .init(rows: 10))
            let at = Timestamp(seconds: 1)
            let lines = SegmentText.lines(
                writer: "w1", created: at, firstSequence: 1, previousSegment: nil, previousHash: ChainHasher.zeros,
                entries: (0..<20).map { (UUIDv7.make(at: at), at, draft($0)) }, closed: nil)
            try await index.add(lines.dropFirst().compactMap { AuditRow(line: $0, writer: "w1") })
            var query = AuditQuery()
            query.ip = "192.0.2.1"
            await #expect { try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 5)) } throws: {
                ($0 as? Refusal)?.code == .auditQueryTooWide
            }
        }
    }
}
