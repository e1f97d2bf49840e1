// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Compresses a closed segment. Killed at any moment it leaves the whole segment behind, and may be begun anew: the plain file goes only when
/// the compressed one has its name, and that it gets only when it was synced and read back equal.
enum SegmentPacking {
    /// What has just been done, for tests that end there.
    enum Step: CaseIterable, Sendable {
        case writing, synced, compared, renamed, removed
    }

    /// - Parameter done: told after each step; what it throws ends the work as a kill would.
    /// - Throws: `unreadable`, `unwritable`, `damaged`.
    static func pack(
        _ segment: SegmentName, in directory: String, calls: FileCalls = .system,
        done: (Step) throws(AuditError) -> Void = { _ in }
    ) throws(AuditError) {
        let plain = "\(directory)/\(segment.file)"
        let packed = "\(directory)/\(segment.compressedFile)"
        let temporary = temporary(of: segment, in: directory)
        // What a killed process left is begun anew.
        try AuditFiles.remove(temporary)
        try write(plain, to: temporary, calls: calls, done: done)
        try done(.synced)
        try compare(temporary, with: plain, named: packed)
        try done(.compared)
        try AuditFiles.rename(temporary, to: packed)
        try AuditFiles.syncDirectory(directory)
        try done(.renamed)
        try AuditFiles.remove(plain)
        try AuditFiles.syncDirectory(directory)
        try done(.removed)
    }

    /// Where a segment is compressed to before it has its name.
    static func temporary(of segment: SegmentName, in directory: String) -> String {
        "\(directory)/\(segment.compressedFile).tmp"
    }

    private static func write(
        _ plain: String, to temporary: String, calls: FileCalls, done: (Step) throws(AuditError) -> Void
    ) throws(AuditError) {
        let descriptor = try AuditFiles.openNew(temporary)
        defer { closeDescriptor(descriptor) }
        let encoder = try GzipEncoder()
        try AuditFiles.pieces(of: plain) { piece throws(AuditError) in
            try calls.writeAll(descriptor, try encoder.compress(piece, isLast: false))
            try done(.writing)
        }
        try calls.writeAll(descriptor, try encoder.compress([], isLast: true))
        try calls.syncAll(descriptor)
    }

    /// Reads what was written and compares it byte by byte.
    private static func compare(_ temporary: String, with plain: String, named: String) throws(AuditError) {
        let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unreadable, message: "cannot read \(temporary)", errno: errno)
        }
        defer { closeDescriptor(descriptor) }
        let decoder = try GzipDecoder(descriptor: descriptor, path: temporary)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        try AuditFiles.pieces(of: plain) { piece throws(AuditError) in
            var place = 0
            while place < piece.count {
                let wanted = piece.count - place
                let count = try buffer.withUnsafeMutableBufferPointer { bytes throws(AuditError) in
                    try decoder.read(into: UnsafeMutableBufferPointer(rebasing: bytes[..<wanted]))
                }
                guard count > 0, buffer[..<count] == piece[place..<place + count] else { throw differs(named) }
                place += count
            }
        }
        let more = try buffer.withUnsafeMutableBufferPointer { bytes throws(AuditError) in try decoder.read(into: bytes)
        }
        guard more == 0 else { throw differs(named) }
    }

    private static func differs(_ path: String) -> AuditError {
        AuditError(code: .damaged, message: "\(path) does not read back as it was written; the plain segment stays")
    }
}
