// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

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
                try copy("\(path)/\(segment.file)", to: "\(folder)/\(segment.file)", &report)
            }
            try AuditFiles.syncDirectory(folder)
        }
        return report
    }

    private static func copy(_ source: String, to target: String, _ report: inout Report) throws(AuditError) {
        let size = AuditFiles.size(source) ?? 0
        if let present = AuditFiles.size(target), present >= size {
            report.present += 1
            return
        }
        let bytes = try AuditFiles.read(source)
        guard let end = bytes.lastIndex(of: 0x0A) else { return }
        if AuditFiles.size(target) == end + 1 {
            report.present += 1
            return
        }
        let temporary = "\(target).tmp"
        // A copy that was broken off before is begun anew.
        if AuditFiles.size(temporary) != nil, unlink(temporary) != 0 {
            throw AuditError(code: .unwritable, message: "cannot remove \(temporary)", errno: errno)
        }
        try AuditFiles.create(temporary, Array(bytes[...end]))
        guard rename(temporary, target) == 0 else {
            throw AuditError(code: .unwritable, message: "cannot rename \(temporary)", errno: errno)
        }
        report.copied += 1
        report.bytes += end + 1
    }
}
