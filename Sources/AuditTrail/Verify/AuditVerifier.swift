// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Checks the segments of a trail. It streams, and needs no running service.
package enum AuditVerifier {
    /// What is checked.
    package struct Options: Sendable {
        /// Segments that hold entries from this sequence number on.
        package var from: Int64?
        /// Entries up to this sequence number.
        package var to: Int64?
        /// An entry that must be there.
        package var head: AuditVerification.Head?
        /// The key of segments that have one.
        package var hmacKey: Redacted<[UInt8]>?

        package init(
            from: Int64? = nil, to: Int64? = nil, head: AuditVerification.Head? = nil,
            hmacKey: Redacted<[UInt8]>? = nil
        ) {
            self.from = from
            self.to = to
            self.head = head
            self.hmacKey = hmacKey
        }
    }

    /// Checks a trail's directory (one directory a writer), or the directory of one writer.
    package static func verify(directory: String, options: Options = Options()) -> AuditVerification {
        var report = AuditVerification()
        do throws(AuditError) {
            for (name, path) in try writers(in: directory) {
                report.writers.append(verifyWriter(name: name, path: path, options: options))
            }
            if report.writers.isEmpty { report.unreadable = "no segments in \(directory)" }
        } catch {
            report.unreadable = error.description
        }
        checkHead(options.head, in: &report)
        return report
    }

    /// With several writers the head is that of one of them: it is enough that one holds it.
    private static func checkHead(_ head: AuditVerification.Head?, in report: inout AuditVerification) {
        guard head != nil, report.writers.contains(where: { $0.fault == nil && $0.unreadable == nil }) else { return }
        for index in report.writers.indices where report.writers[index].fault?.kind == .headMismatch {
            report.writers[index].fault = nil
        }
    }

    /// The writers of a trail: names and directories. A directory that holds segments itself is one writer's.
    package static func writers(in directory: String) throws(AuditError) -> [(name: String, path: String)] {
        if try !AuditFiles.segments(in: directory).isEmpty {
            let name = directory.split(separator: "/").last.map(String.init) ?? directory
            return [(name, directory)]
        }
        var found: [(name: String, path: String)] = []
        for name in try AuditFiles.names(in: directory) where AuditSettings.isWriterName(name) {
            let path = "\(directory)/\(name)"
            guard AuditFiles.isDirectory(path), try !AuditFiles.segments(in: path).isEmpty else { continue }
            found.append((name, path))
        }
        return found
    }

    private static func verifyWriter(name: String, path: String, options: Options) -> AuditVerification.Writer {
        var writer = AuditVerification.Writer(name: name)
        var checker = SegmentChecker(hmacKey: options.hmacKey, head: options.head, to: options.to)
        do throws(AuditError) {
            // Asked before reading: the bytes that a living process is just adding are no fault.
            let isLive = AuditFiles.isLocked(path)
            var segments = try AuditFiles.segments(in: path)
            if let from = options.from, let first = segments.lastIndex(where: { $0.firstSequence <= from }) {
                segments.removeFirst(first)
            }
            for (index, segment) in segments.enumerated() where !checker.isOver {
                checker.begin(file: segment.file)
                let isGrowing = isLive && index == segments.count - 1
                do throws(AuditError) {
                    try check(SegmentReader(segment, in: path), isGrowing: isGrowing, with: &checker)
                } catch  where error.code == .damaged {
                    checker.failBehind()
                }
            }
            checker.finish()
        } catch {
            writer.unreadable = error.description
        }
        writer.segments = checker.segments
        writer.entries = checker.entries
        writer.head = checker.head
        writer.fault = checker.fault
        writer.unreadable = writer.unreadable ?? checker.unreadable
        return writer
    }

    private static func check(
        _ source: consuming SegmentReader, isGrowing: Bool, with checker: inout SegmentChecker
    ) throws(AuditError) {
        var reader = source
        var goesOn = true
        while goesOn, !checker.isOver {
            let more = try reader.next { kind, bytes -> Bool in
                if kind == .partial, isGrowing { return false }
                checker.check(bytes, isWhole: kind == .whole)
                return true
            }
            goesOn = more ?? false
        }
    }

    /// Checks segments that are held in memory, oldest first, lines without LF.
    package static func verify(
        segments: [(file: String, lines: [[UInt8]])], writer name: String, options: Options = Options()
    ) -> AuditVerification.Writer {
        var checker = SegmentChecker(hmacKey: options.hmacKey, head: options.head, to: options.to)
        for segment in segments where !checker.isOver {
            checker.begin(file: segment.file)
            for line in segment.lines { line.withUnsafeBufferPointer { checker.check($0, isWhole: true) } }
        }
        checker.finish()
        var writer = AuditVerification.Writer(name: name)
        writer.segments = checker.segments
        writer.entries = checker.entries
        writer.head = checker.head
        writer.fault = checker.fault
        writer.unreadable = checker.unreadable
        return writer
    }
}
