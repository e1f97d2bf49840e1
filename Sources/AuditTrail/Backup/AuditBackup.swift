// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Copies a trail: every segment that is not there yet, and the open one up to its last whole line.
package enum AuditBackup {
    /// What was copied.
    package struct Report: Sendable, Hashable {
        package var copied = 0
        package var present = 0
        package var bytes = 0
    }

    /// Copies the segments under one directory to another, which is made with mode 0700.
    ///
    /// - Throws: `unreadable`, `unwritable`.
    package static func run(from source: String, to target: String) throws(AuditError) -> Report {
        var report = Report()
        for (name, path) in try AuditVerifier.writers(in: source) {
            let folder = "\(target)/\(name)"
            try AuditFiles.makeDirectory(folder)
            for segment in try AuditFiles.segments(in: path) {
                try copy(segment, from: path, to: folder, &report)
            }
            try AuditFiles.syncDirectory(folder)
        }
        return report
    }

    private static func copy(
        _ segment: SegmentName, from source: String, to folder: String, _ report: inout Report
    ) throws(AuditError) {
        let isClosed = try SegmentSummary.isPlainAndClosed(segment, in: folder)
        if isClosed || AuditFiles.size("\(folder)/\(segment.compressedFile)") != nil {
            report.present += 1
            return
        }
        let plain = "\(source)/\(segment.file)"
        do throws(AuditError) {
            try copyPlain(plain, to: "\(folder)/\(segment.file)", &report)
        } catch {
            // It was compressed already, or is so since it was looked for.
            guard AuditFiles.size(plain) == nil else { throw error }
            let packed = segment.compressedFile
            report.bytes += try transfer("\(source)/\(packed)", upTo: .max, to: "\(folder)/\(packed)")
            report.copied += 1
            // What was copied while the segment was open is part of it.
            try AuditFiles.remove("\(folder)/\(segment.file)")
        }
    }

    private static func copyPlain(_ source: String, to target: String, _ report: inout Report) throws(AuditError) {
        let size = AuditFiles.size(source) ?? 0
        // The longest line is far shorter.
        let start = max(0, size - (1 << 20))
        guard let last = try AuditFiles.read(source, from: start).lastIndex(of: 0x0A) else { return }
        let end = start + last + 1
        if let present = AuditFiles.size(target), present >= end {
            report.present += 1
            return
        }
        report.bytes += try transfer(source, upTo: end, to: target)
        report.copied += 1
    }

    /// - Returns: how many bytes were copied.
    private static func transfer(_ source: String, upTo end: Int, to target: String) throws(AuditError) -> Int {
        let temporary = "\(target).tmp"
        // A copy that was broken off before is begun anew.
        try AuditFiles.remove(temporary)
        let descriptor = try AuditFiles.openNew(temporary)
        defer { closeDescriptor(descriptor) }
        var copied = 0
        try AuditFiles.pieces(of: source) { piece throws(AuditError) in
            let wanted = min(piece.count, end - copied)
            guard wanted > 0 else { return }
            try FileCalls.system.writeAll(descriptor, wanted == piece.count ? piece : Array(piece[..<wanted]))
            copied += wanted
        }
        try FileCalls.system.syncAll(descriptor)
        try AuditFiles.rename(temporary, to: target)
        return copied
    }
}
