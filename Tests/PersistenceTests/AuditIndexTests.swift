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
    private func trail(_ directory: String, index: any AuditIndexing) -> AuditLog {
        var settings = AuditSettings(directory: directory, writer: "w1")
        settings.memoryEntries = 128
        return AuditLog(
            settings: settings, index: index, clock: ManualClock(), random: SeededRandom(seed: 1),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            metricsFactory: NOOPMetricsHandler.instance)
    }

    @Test(arguments: AuditIndexContract.behaviours)
    func keepsTheContract(_ behaviour: AuditIndexContract.Behaviour) async throws {
        let directory = try TemporaryDirectory()
        try await AuditIndexContract.check(behaviour) { rows, body in
            try await body(
                try SQLiteAuditIndex(path: directory.path("index.sqlite"), limits: .init(rows: rows)))
        }
    }

    @Test func holdsEverythingAfterCatchingUp() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("w1/index.sqlite")
        let first = trail(directory.url.path, index: try SQLiteAuditIndex(path: path))
        try first.open()
        for number in 0..<500 { #expect(first.acceptNow(AuditIndexContract.draft(number))) }
        await first.close()

        // A new index, as after a loss: it is built from the segments when the trail is closed or runs.
        try FileManager.default.removeItem(atPath: path)
        let index = try SQLiteAuditIndex(path: directory.path("w1/new.sqlite"))
        let second = trail(directory.url.path, index: index)
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
