// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

/// Which segments are deleted, when, and what is written about it.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400

    /// A trail with a segment for every one of some days, each with one entry at noon.
    private func withDays(
        _ days: Int, _ body: (AuditLog, ManualClock, String) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            let clock = ManualClock()
            clock.set(Timestamp(seconds: 1_772_366_400))
            let trail = makeTrail(directory, clock: clock) { $0.retentionSeconds = 14 * Self.day }
            try trail.open()
            for number in 0..<days {
                try await trail.record(makeDraft("day-\(number)"))
                clock.advance(seconds: Self.day)
                trail.tick()
                await trail.writer.idle()
            }
            try await body(trail, clock, "\(directory)/w1")
            await trail.close()
            let report = AuditVerifier.verify(directory: directory)
            #expect(report.exitCode == 0, "\(report.text)")
        }
    }

    @Test func deletesFromTheOldestOnAndSaysSo() async throws {
        try await withDays(16) { trail, clock, folder in
            // 16 days at noon of the first day on: the entries of the first two days are 16 and 15 days old, the third is exactly 14 days old.
            let before = try AuditFiles.segments(in: folder)
            #expect(before.count == 17)
            var hashes: [String] = []
            for segment in before.prefix(2) {
                hashes.append(String(decoding: try SegmentSummary.read(segment, in: folder).lastHash, as: UTF8.self))
            }
            await trail.keep()
            #expect(try AuditFiles.segments(in: folder).first == before[2])
            let names = try AuditFiles.names(in: folder).filter { $0.hasPrefix("audit-") }
            #expect(names.filter { $0.hasSuffix(".jsonl") }.count == 1, "only the open one is plain")

            let deletions = try await everything(trail).filter { $0.action == "audit.segment_deleted" }
            #expect(deletions.map(\.actor) == ["system", "system"])
            #expect(deletions.map(\.resource) == before.prefix(2).map(\.file))
            let metadata = deletions.compactMap { HealingView.entry($0)["metadata"]?.objectValue }
            for (index, data) in metadata.enumerated() {
                #expect(data["file"] == .string(before[index].file))
                #expect(data["last_sequence"] == .int(before[index + 1].firstSequence - 1))
                #expect(data["last_hash"] == .string(hashes[index]))
            }
            // The oldest kept header is the anchor: it is chained to what was deleted.
            var reader = try SegmentReader(before[2], in: folder)
            let header = try reader.next { _, bytes in SegmentLine(bytes) }
            #expect((header ?? nil).map { String(decoding: $0.previousHash, as: UTF8.self) } == hashes[1])

            await trail.keep()
            #expect(try AuditFiles.segments(in: folder).first == before[2])
            clock.advance(seconds: 1)
            await trail.keep()
            #expect(try AuditFiles.segments(in: folder).first == before[3])
        }
    }

    @Test func keepsWhatCannotBeRecordedAsDeleted() async throws {
        try await withDays(16) { trail, _, folder in
            let before = try AuditFiles.segments(in: folder)
            await trail.keeper.keep(open: before.last) { _ in false }
            #expect(try AuditFiles.segments(in: folder) == before)
            await trail.keeper.keep(open: nil) { _ in true }
            #expect(try AuditFiles.segments(in: folder) == before)
        }
    }

    @Test func theIndexForgetsWhatIsGone() async throws {
        try await withDirectory { directory in
            let clock = ManualClock()
            let index = ForgettingIndex()
            index.holds(2)
            let trail = makeTrail(directory, clock: clock, index: index) { $0.retentionSeconds = 3600 }
            try trail.open()
            for number in 0..<3 { try await trail.record(makeDraft("user-\(number)")) }
            clock.advance(seconds: Self.day)
            trail.tick()
            await trail.writer.idle()
            await trail.keep()
            // Something of the old segment is not in the index yet.
            #expect(index.forgotten == [1])
            index.holds(3)
            await trail.keep()
            #expect(index.forgotten == [1, 4])
            await trail.close()
        }
    }
}

/// Remembers before which entry it was told to forget.
private final class ForgettingIndex: AuditIndexing {
    private let told = Mutex<[Int64]>([])
    private let held = Mutex<Int64>(0)

    func holds(_ sequence: Int64) { held.withLock { $0 = sequence } }

    var forgotten: [Int64] { told.withLock { $0 } }

    func lastSequence(writer: String) async throws -> Int64 { held.withLock { $0 } }
    func add(_ rows: [AuditRow]) async throws {}
    func removeAll(writer: String) async throws {}
    func forget(writer: String, before sequence: Int64) async throws { told.withLock { $0.append(sequence) } }
    func rows(_ request: AuditIndexRequest) async throws(Refusal) -> [AuditRow] { [] }
}
