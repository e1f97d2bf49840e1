// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Essentials
internal import Foundation
internal import Logging
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

/// Compressing a segment, killed at every step, loses no line.
@Suite struct SegmentPackingTests {
    private static let at = Timestamp(seconds: 1_772_366_400)
    private static let name = SegmentName(created: at, firstSequence: 1)

    private static func text(entries: Int) -> [UInt8] {
        let lines = SegmentText.lines(
            writer: "w1", created: at, firstSequence: 1, previousSegment: nil, previousHash: ChainHasher.zeros,
            entries: (0..<entries).map { (UUIDv7.make(at: at), at, makeDraft("user-\($0)")) }, closed: at)
        return Array(lines.map { $0 + [0x0A] }.joined())
    }

    private func withSegment(entries: Int = 900, _ body: (String, [UInt8]) async throws -> Void) async throws {
        try await withDirectory { directory in
            let folder = "\(directory)/w1"
            try AuditFiles.makeDirectory(folder)
            let text = Self.text(entries: entries)
            try Data(text).write(to: URL(filePath: "\(folder)/\(Self.name.file)"))
            try await body(folder, text)
        }
    }

    private func read(_ folder: String) throws -> [UInt8] {
        var reader = try SegmentReader(Self.name, in: folder)
        var bytes: [UInt8] = []
        while let line = try reader.next({ kind, bytes in Array(bytes) + (kind == .whole ? [0x0A] : []) }) {
            bytes += line
        }
        return bytes
    }

    @Test(arguments: SegmentPacking.Step.allCases)
    func losesNothingWhenKilled(after last: SegmentPacking.Step) async throws {
        try await withSegment { folder, text in
            do throws(AuditError) {
                try SegmentPacking.pack(Self.name, in: folder) { step throws(AuditError) in
                    if step == last { throw AuditError(code: .unwritable, message: "killed") }
                }
                Issue.record("\(last) was not reached")
            } catch {
                #expect(error.message == "killed")
            }
            #expect(try read(folder) == text)
            #expect(try AuditFiles.segments(in: folder) == [Self.name])
            let report = AuditVerifier.verify(directory: folder)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(report.writers.first?.entries == 900)
            let found = try SegmentRecovery.recover(directory: folder, hasher: ChainHasher(key: nil), now: Self.at)
            #expect(found.position.nextSequence == 901)
            #expect(found.report.torn == nil && found.report.corrupt == nil)

            // The next pass does the rest.
            if AuditFiles.size("\(folder)/\(Self.name.file)") != nil { try SegmentPacking.pack(Self.name, in: folder) }
            #expect(try AuditFiles.names(in: folder) == [Self.name.compressedFile])
            #expect(try read(folder) == text)
        }
    }

    @Test func isReadByGzipItself() async throws {
        try await withSegment { folder, text in
            try SegmentPacking.pack(Self.name, in: folder)
            let size = try #require(AuditFiles.size("\(folder)/\(Self.name.compressedFile)"))
            #expect(size < text.count / 3)
            let process = Process()
            process.executableURL = URL(filePath: "/bin/gzip")
            process.arguments = ["-dc", "\(folder)/\(Self.name.compressedFile)"]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            #expect(Array(output) == text)
        }
    }

    @Test func keepsThePlainFileWhenTheOtherDoesNotReadBack() async throws {
        try await withSegment { folder, text in
            var calls = FileCalls.system
            calls.write = { descriptor, bytes in
                var changed = Array(bytes)
                changed[changed.count / 2] ^= 0x10
                return changed.withUnsafeBytes { FileCalls.system.write(descriptor, $0) }
            }
            #expect { try SegmentPacking.pack(Self.name, in: folder, calls: calls) } throws: {
                ($0 as? AuditError)?.code == .damaged
            }
            calls = .system
            calls.sync = { _ in -1 }
            #expect { try SegmentPacking.pack(Self.name, in: folder, calls: calls) } throws: {
                ($0 as? AuditError)?.code == .unwritable
            }
            #expect(AuditFiles.size("\(folder)/\(Self.name.compressedFile)") == nil)
            #expect(try read(folder) == text)
            try SegmentPacking.pack(Self.name, in: folder)
            #expect(try read(folder) == text)
        }
    }

    /// One that cannot be compressed leaves nothing on a volume that may be full, and the others do not wait for it.
    @Test func aSegmentThatCannotBeCompressedHoldsUpNoOther() async throws {
        try await withSegment { folder, text in
            let later = SegmentName(created: Self.at, firstSequence: 901)
            try Data(text).write(to: URL(filePath: "\(folder)/\(later.file)"))
            let writes = Mutex(0)
            var calls = FileCalls.system
            calls.write = { descriptor, bytes in
                // The first write fails, and with it the first segment.
                let count = writes.withLock { writes in
                    writes += 1
                    return writes
                }
                guard count == 1 else { return FileCalls.system.write(descriptor, bytes) }
                errno = ENOSPC
                return -1
            }
            let directory = URL(filePath: folder).deletingLastPathComponent().path
            let keeper = SegmentKeeper(
                settings: AuditSettings(directory: directory, writer: "w1"), index: nil, clock: ManualClock(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                metrics: AuditMetrics(factory: NOOPMetricsHandler.instance), calls: calls)
            keeper.packLast()
            #expect(
                try AuditFiles.names(in: folder).sorted() == [Self.name.file, later.compressedFile].sorted())
        }
    }

    @Test func anAlteredCompressedSegmentIsBrokenAndSurvived() async throws {
        try await withSegment(entries: 40) { folder, text in
            try SegmentPacking.pack(Self.name, in: folder)
            let path = "\(folder)/\(Self.name.compressedFile)"
            let bytes = try AuditFiles.read(path)
            let random = SeededRandom(seed: 0x61)
            for _ in 0..<FuzzCases.count(300) {
                var changed = bytes
                switch random.below(3) {
                case 0: changed.removeLast(1 + random.below(bytes.count - 1))
                case 1: changed.append(UInt8(random.below(256)))
                default:
                    // The header's time, its system and flags that say nothing about the content may be anything.
                    changed[10 + random.below(bytes.count - 10)] ^= UInt8(1 + random.below(255))
                }
                try Data(changed).write(to: URL(filePath: path))
                // The bits between the end of the stream and its check sum are nobody's: the content is what it was.
                if let same = try? read(folder), same == text { continue }
                #expect(AuditVerifier.verify(directory: folder).exitCode == 1)
                do throws(AuditError) {
                    let found = try SegmentRecovery.recover(
                        directory: folder, hasher: ChainHasher(key: nil), now: Self.at)
                    #expect(found.report.corrupt == Self.name.file)
                } catch {
                    #expect(error.code == .unreadable || error.code == .damaged)
                }
                #expect(try AuditFiles.read(path) == changed, "evidence stays as it is")
            }
        }
    }

    @Test func piecesOfAnySizeComeBackAsTheyWere() throws {
        let random = SeededRandom(seed: 0x62)
        for size in [0, 1, 65_535, 65_536, 65_537, 300_000] {
            let plain = random.below(2) == 0 ? random.bytes(size) : [UInt8](repeating: 65, count: size)
            let encoder = try GzipEncoder()
            var packed: [UInt8] = []
            var place = 0
            while place < plain.count {
                let end = min(plain.count, place + 1 + random.below(90_000))
                packed += try encoder.compress(Array(plain[place..<end]), isLast: false)
                place = end
            }
            packed += try encoder.compress([], isLast: true)
            let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).gz")
            try Data(packed).write(to: url)
            let handle = try FileHandle(forReadingFrom: url)
            let decoder = try GzipDecoder(descriptor: handle.fileDescriptor, path: url.path)
            var found: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 + random.below(70_000))
            while true {
                let count = try buffer.withUnsafeMutableBufferPointer { bytes throws(AuditError) in
                    try decoder.read(into: bytes)
                }
                if count == 0 { break }
                found += buffer[..<count]
            }
            #expect(found == plain)
            try handle.close()
            try FileManager.default.removeItem(at: url)
        }
    }
}
