// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

@Suite struct RecoveryTests {
    private static let name = SegmentName(created: Timestamp(seconds: 1_772_366_400), firstSequence: 1)

    private static func segment(entries: Int, closed: Bool) -> [[UInt8]] {
        let at = Timestamp(seconds: 1_772_366_400)
        return SegmentText.lines(
            writer: "w1", created: at, firstSequence: 1, previousSegment: nil, previousHash: ChainHasher.zeros,
            entries: (0..<entries).map { ("019c4690-7c7b-70a1-8b2c-00000000000\($0)", at, makeDraft("user-\($0)")) },
            closed: closed ? at : nil)
    }

    private static func write(_ bytes: [UInt8], to directory: String) throws {
        try AuditFiles.makeDirectory("\(directory)/w1")
        try Data(bytes).write(to: URL(filePath: "\(directory)/w1/\(name.file)"))
    }

    @Test(arguments: [false, true])
    func keepsEveryWholeEntryAtEveryTruncation(closed: Bool) async throws {
        let lines = Self.segment(entries: 3, closed: closed)
        let text = Array(lines.map { $0 + [0x0A] }.joined())
        for cut in 0...text.count {
            try await withDirectory { directory in
                try Self.write(Array(text[..<cut]), to: directory)
                let whole = text[..<cut].count { $0 == 0x0A }
                let entries = max(0, min(3, whole - 1))
                let found = try SegmentRecovery.recover(
                    directory: "\(directory)/w1", hasher: ChainHasher(key: nil), now: Timestamp(seconds: 1_772_366_500))
                #expect(found.position.nextSequence == Int64(entries) + 1, "cut \(cut)")
                #expect(found.report.corrupt == nil)
                let good = text[..<cut].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
                #expect(found.report.torn?.bytes ?? 0 == cut - good)
                let names = try AuditFiles.names(in: "\(directory)/w1")
                #expect(names.contains { $0.contains(".torn-") } == (cut > good))
                let report = AuditVerifier.verify(directory: directory)
                #expect(report.exitCode == (whole == 0 ? 2 : 0), "cut \(cut): \(report.text)")
                #expect(report.writers.first?.entries ?? 0 == entries)
            }
        }
    }

    @Test func goesOnBehindATornTailAndSaysSo() async throws {
        try await withDirectory { directory in
            let lines = Self.segment(entries: 3, closed: false)
            try Self.write(Array(lines.map { $0 + [0x0A] }.joined()) + Array("{\"id\":\"01".utf8), to: directory)
            let trail = makeTrail(directory)
            try trail.open()
            try await trail.record(makeDraft("after"))
            let rows = try await everything(trail)
            #expect(rows.map(\.action) == ["audit.recovered", "tool.execute"])
            #expect(rows.map(\.sequence) == [4, 5])
            await trail.close()
            let report = AuditVerifier.verify(directory: directory)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(report.writers.first?.entries == 5)
        }
    }

    @Test func leavesADamagedSegmentAsEvidence() async throws {
        try await withDirectory { directory in
            var lines = Self.segment(entries: 3, closed: false)
            lines[2][20] ^= 1
            let bytes = Array(lines.map { $0 + [0x0A] }.joined())
            try Self.write(bytes, to: directory)
            let trail = makeTrail(directory)
            try trail.open()
            try await trail.record(makeDraft())
            #expect(try await everything(trail).map(\.action) == ["audit.corruption", "tool.execute"])
            #expect(trail.status.corruptSegment == Self.name.file)
            await trail.close()
            #expect(try AuditFiles.read("\(directory)/w1/\(Self.name.file)") == bytes)
            let fault = AuditVerifier.verify(directory: directory).writers.first?.fault
            #expect(fault == AuditVerification.Fault(file: Self.name.file, line: 3, kind: .hashMismatch))
        }
    }

    @Test func cutsATailOfNULBytes() async throws {
        try await withDirectory { directory in
            let lines = Self.segment(entries: 2, closed: false)
            try Self.write(
                Array(lines.map { $0 + [0x0A] }.joined()) + [UInt8](repeating: 0, count: 5000), to: directory)
            let found = try SegmentRecovery.recover(
                directory: "\(directory)/w1", hasher: ChainHasher(key: nil), now: Timestamp(seconds: 1_772_366_500))
            #expect(found.report.torn?.bytes == 5000)
            #expect(AuditVerifier.verify(directory: directory).exitCode == 0)
        }
    }

    @Test func refusesASecondProcess() async throws {
        try await withDirectory { directory in
            let first = makeTrail(directory)
            try first.open()
            #expect { try makeTrail(directory).open() } throws: { ($0 as? AuditError)?.code == .locked }
            await first.close()
            let second = makeTrail(directory)
            try second.open()
            await second.close()
            #expect(AuditVerifier.verify(directory: directory).exitCode == 0)
        }
    }
}
