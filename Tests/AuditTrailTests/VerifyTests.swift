// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

@Suite struct VerifyTests {
    private static let key = Redacted([UInt8](repeating: 7, count: 32))

    private static func segments(hasher: ChainHasher) -> [(file: String, lines: [[UInt8]])] {
        let at = Timestamp(seconds: 1_772_366_400)
        let entries = (0..<4).map { (UUIDv7.make(at: at), at, makeDraft("Zoë \($0)")) }
        let first = SegmentName(created: at, firstSequence: 1)
        let second = SegmentName(created: at.adding(seconds: 60), firstSequence: 5)
        let closed = SegmentText.lines(
            writer: "w1", created: at, firstSequence: 1, previousSegment: nil, previousHash: ChainHasher.zeros,
            entries: entries, closed: at, hasher: hasher)
        let last = closed.last.map { String(decoding: $0.suffix(66).prefix(64), as: UTF8.self) } ?? ""
        let open = SegmentText.lines(
            writer: "w1", created: at, firstSequence: 5, previousSegment: first.file, previousHash: last,
            entries: entries, closed: nil, hasher: hasher)
        return [(first.file, closed), (second.file, open)]
    }

    @Test(arguments: [false, true])
    func findsEveryChangedByte(keyed: Bool) {
        let key = keyed ? Self.key : nil
        let segments = Self.segments(hasher: ChainHasher(key: key))
        let options = AuditVerifier.Options(hmacKey: key)
        #expect(AuditVerifier.verify(segments: segments, writer: "w1", options: options).fault == nil)
        let random = SeededRandom(seed: 20_260_301)
        for segment in segments.indices {
            let text = Array(segments[segment].lines.map { $0 + [0x0A] }.joined())
            for position in text.indices {
                var changed = text
                changed[position] ^= UInt8(1 + random.below(255))
                var lines = changed.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
                if lines.last == [] { lines.removeLast() }
                var altered = segments
                altered[segment].lines = lines
                let report = AuditVerifier.verify(segments: altered, writer: "w1", options: options)
                #expect(
                    report.fault != nil || report.unreadable != nil,
                    "segment \(segment), byte \(position): \(text[position]) → \(changed[position])")
            }
        }
    }

    @Test func findsEveryLostLine() {
        let segments = Self.segments(hasher: ChainHasher(key: nil))
        for segment in segments.indices {
            for line in segments[segment].lines.indices {
                var altered = segments
                altered[segment].lines.remove(at: line)
                // The very last line of an open segment is what only a known head can miss.
                let isEnd = segment == 1 && line == segments[1].lines.count - 1
                #expect((AuditVerifier.verify(segments: altered, writer: "w1").fault == nil) == isEnd)
            }
        }
    }

    @Test func aKnownHeadShowsACutOffEnd() throws {
        var segments = Self.segments(hasher: ChainHasher(key: nil))
        let head = try #require(AuditVerifier.verify(segments: segments, writer: "w1").head)
        #expect(head.sequence == 8)
        let options = AuditVerifier.Options(head: AuditVerification.Head("8:\(head.hash)"))
        #expect(AuditVerifier.verify(segments: segments, writer: "w1", options: options).fault == nil)
        segments[1].lines.removeLast()
        let fault = AuditVerifier.verify(segments: segments, writer: "w1", options: options).fault
        #expect(fault?.kind == .headMismatch)
    }

    @Test func aMissingSegmentIsSeen() {
        var segments = Self.segments(hasher: ChainHasher(key: nil))
        segments[1].file = segments[0].file
        segments[0].file = "audit-20200101T000000Z-00000000000000000001.jsonl"
        #expect(AuditVerifier.verify(segments: segments, writer: "w1").fault?.kind == .missingSegment)
    }

    @Test func aKeyedChainCannotBeReadWithoutItsKey() {
        let segments = Self.segments(hasher: ChainHasher(key: Self.key))
        let report = AuditVerifier.verify(segments: segments, writer: "w1")
        #expect(report.fault == nil)
        #expect(report.unreadable != nil)
    }

    @Test func headsAreReadAsSequenceAndHash() {
        #expect(AuditVerification.Head("3:\(ChainHasher.zeros)")?.sequence == 3)
        for bad in ["", "3", "0:\(ChainHasher.zeros)", "3:abc", "x:\(ChainHasher.zeros)"] {
            #expect(AuditVerification.Head(bad) == nil)
        }
    }
}
