// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

/// When segments are closed, and that nothing is lost by it.
@Suite struct RotationTests {
    private static let noon: Int64 = 1_772_366_400

    @Test func namesTheNextRotation() throws {
        let time = DailyTime(hour: 2, minute: 10)
        #expect(DailyTime("02:10") == time)
        let midnight = Timestamp(rfc3339: "2026-03-01T00:00:00Z") ?? .latest
        #expect(time.next(after: midnight).rfc3339 == "2026-03-01T02:10:00Z")
        #expect(time.next(after: midnight.adding(seconds: 7800)).rfc3339 == "2026-03-02T02:10:00Z")
        #expect(time.next(after: midnight.adding(seconds: 7799)).rfc3339 == "2026-03-01T02:10:00Z")
        #expect(DailyTime("00:00")?.next(after: midnight).rfc3339 == "2026-03-02T00:00:00Z")
        #expect(DailyTime("23:59")?.description == "23:59")
        for bad in ["", "2:10", "24:00", "12:60", "02.10", "02:10Z", "-1:10", "٠٢:١٠"] {
            #expect(DailyTime(bad) == nil)
        }
    }

    private func count(_ directory: String) throws -> Int { try AuditFiles.segments(in: "\(directory)/w1").count }

    @Test func closesTheSegmentOnceADayUnlessNothingHappened() async throws {
        try await withDirectory { directory in
            let clock = ManualClock()
            clock.set(Timestamp(seconds: Self.noon))
            let trail = makeTrail(directory, clock: clock)
            try trail.open()
            try await trail.record(makeDraft("one"))
            trail.tick()
            try await trail.record(makeDraft("two"))
            #expect(try count(directory) == 1)

            clock.set(Timestamp(rfc3339: "2026-03-02T02:10:00Z") ?? .latest)
            trail.tick()
            try await trail.record(makeDraft("three"))
            #expect(try count(directory) == 2)
            trail.tick()
            try await trail.record(makeDraft("four"))
            #expect(try count(directory) == 2)

            clock.set(Timestamp(rfc3339: "2026-03-03T02:10:01Z") ?? .latest)
            trail.tick()
            // The queue of the writer is empty again when an entry has passed it; the new segment has none yet.
            await trail.writer.idle()
            #expect(try count(directory) == 3)
            clock.set(Timestamp(rfc3339: "2026-03-04T02:10:01Z") ?? .latest)
            trail.tick()
            await trail.writer.idle()
            #expect(try count(directory) == 3)

            #expect(try await everything(trail).map(\.actor) == ["one", "two", "three", "four"])
            await trail.close()
            let report = AuditVerifier.verify(directory: directory)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(report.writers.first?.entries == 4)
        }
    }

    @Test func aCleanStopLeavesCompressedSegmentsThatTheNextStartGoesOnFrom() async throws {
        try await withDirectory { directory in
            for round in 0..<3 {
                let trail = makeTrail(directory) { $0.segmentBytes = 4000 }
                try trail.open()
                for number in 0..<20 { try await trail.record(makeDraft("user-\(round)-\(number)")) }
                await trail.close()
                let names = try AuditFiles.names(in: "\(directory)/w1").filter { $0.hasPrefix("audit-") }
                #expect(names.allSatisfy { $0.hasSuffix(".jsonl.gz") }, "\(names)")
                let report = AuditVerifier.verify(directory: directory)
                #expect(report.exitCode == 0, "\(report.text)")
                #expect(report.writers.first?.entries == 20 * (round + 1))
                #expect(report.writers.first?.head?.sequence == Int64(20 * (round + 1)))
            }
            let part = AuditVerifier.verify(directory: directory, options: .init(from: 25, to: 30))
            #expect(part.exitCode == 0, "\(part.text)")
        }
    }

    @Test func backsUpWhatIsCompressedAndReplacesWhatWasOpen() async throws {
        try await withDirectory { directory in
            let (source, target) = ("\(directory)/a", "\(directory)/b")
            let trail = makeTrail(source) { $0.segmentBytes = 4000 }
            try trail.open()
            for number in 0..<20 { try await trail.record(makeDraft("user-\(number)")) }
            let first = try AuditBackup.run(from: source, to: target)
            #expect(first.copied > 1)
            #expect(AuditVerifier.verify(directory: target).exitCode == 0)
            #expect(try AuditBackup.run(from: source, to: target).copied == 0)
            try await trail.record(makeDraft("late"))
            await trail.close()
            let second = try AuditBackup.run(from: source, to: target)
            #expect(second.copied == 1, "only the segment that was open is copied again")
            let report = AuditVerifier.verify(directory: target)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(report.writers.first?.entries == 21)
            #expect(try AuditBackup.run(from: source, to: target).copied == 0)
        }
    }

    @Test func warnsWhenTheVolumeFillsUp() async throws {
        try await withDirectory { directory in
            let percent = Mutex(79)
            var calls = FileCalls.system
            calls.volume = { _ in VolumeUse(percent: percent.withLock { $0 }) }
            let trail = makeTrail(directory, calls: calls)
            try trail.open()
            #expect(trail.status.volume == nil)
            trail.tick()
            #expect(trail.status.volume?.isHigh == false)
            percent.withLock { $0 = 80 }
            trail.tick()
            #expect(trail.status.volume == VolumeUse(percent: 80))
            #expect(trail.status.volume?.isHigh == true)
            await trail.close()
            #expect((0...100).contains(FileCalls.system.volume(directory)?.percent ?? -1))
            #expect(FileCalls.system.volume("\(directory)/nowhere") == nil)
        }
    }

    /// Some file systems say that more is free than there is.
    @Test(
        arguments: [
            (100, 20, 20, 80), (100, 0, 0, 100), (100, 100, 100, 0), (100, 101, 5, nil), (0, 0, 0, nil),
            (UInt64.max, 0, UInt64.max, nil), (UInt64.max, 0, 0, 100), (UInt64.max, UInt64.max / 2, 0, 100),
        ] as [(UInt64, UInt64, UInt64, Int?)])
    func readsVolumes(_ blocks: UInt64, _ free: UInt64, _ available: UInt64, _ percent: Int?) {
        #expect(VolumeUse(blocks: blocks, free: free, available: available)?.percent == percent)
    }
}
