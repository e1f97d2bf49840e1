// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The directories and files of a trail.
package enum AuditFiles {
    /// Makes a directory and those above it, each new one with mode 0700.
    package static func makeDirectory(_ path: String) throws(AuditError) {
        var built = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            built += built.isEmpty || built.hasSuffix("/") ? String(part) : "/\(part)"
            guard mkdir(built, 0o700) != 0, errno != EEXIST else { continue }
            throw AuditError(code: .unwritable, message: "cannot make the directory \(built)", errno: errno)
        }
    }

    /// The segments of a writer's directory in the order of the chain, plain and compressed ones.
    package static func segments(in directory: String) throws(AuditError) -> [SegmentName] {
        Set(try names(in: directory).compactMap { SegmentName($0) }).sorted()
    }

    /// The file of a segment: the plain one while it is there.
    static func path(of segment: SegmentName, in directory: String) -> String {
        let plain = "\(directory)/\(segment.file)"
        return size(plain) == nil ? "\(directory)/\(segment.compressedFile)" : plain
    }

    /// Removes a file that may be gone already.
    static func remove(_ path: String) throws(AuditError) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        throw AuditError(code: .unwritable, message: "cannot remove \(path)", errno: errno)
    }

    /// Gives a file another name, in place of what may stand there.
    static func rename(_ path: String, to target: String) throws(AuditError) {
        #if canImport(Glibc)
            let code = Glibc.rename(path, target)
        #else
            let code = Darwin.rename(path, target)
        #endif
        guard code != 0 else { return }
        throw AuditError(code: .unwritable, message: "cannot rename \(path)", errno: errno)
    }

    /// Makes a new file of mode 0600 for writing; it must not exist.
    static func openNew(_ path: String) throws(AuditError) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw AuditError(code: .unwritable, message: "cannot make \(path)", errno: errno)
        }
        return descriptor
    }

    /// Gives the bytes of a file to `body` in pieces of at most 256 KiB.
    static func pieces(
        of path: String, _ body: ([UInt8]) throws(AuditError) -> Void
    ) throws(AuditError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
        }
        defer { close(descriptor) }
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        var offset: off_t = 0
        while true {
            let count = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
            }
            if count == 0 { return }
            offset += off_t(count)
            try body(count == piece.count ? piece : Array(piece[..<count]))
        }
    }

    /// The names in a directory, sorted.
    static func names(in directory: String) throws(AuditError) -> [String] {
        guard let stream = opendir(directory) else {
            throw AuditError(code: .unreadable, message: "cannot read the directory \(directory)", errno: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes the entries of a directory durable.
    static func syncDirectory(_ path: String) throws(AuditError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unwritable, message: "cannot open the directory \(path)", errno: errno)
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw AuditError(code: .unwritable, message: "cannot sync the directory \(path)", errno: errno)
        }
    }

    /// Takes the lock of a writer's directory; it lasts until the descriptor is closed.
    static func lock(_ directory: String) throws(AuditError) -> Int32 {
        let descriptor = open("\(directory)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw AuditError(code: .unwritable, message: "cannot open the lock file of \(directory)", errno: errno)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            throw AuditError(code: .locked, message: "another process writes \(directory)", errno: number)
        }
        return descriptor
    }

    /// Whether a living process writes this directory.
    static func isLocked(_ directory: String) -> Bool {
        let descriptor = open("\(directory)/.lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    /// The bytes of a file from an offset on.
    static func read(_ path: String, from offset: Int = 0) throws(AuditError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
        }
        defer { close(descriptor) }
        let size = max(0, Int(lseek(descriptor, 0, SEEK_END)) - offset)
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + filled, size - filled, off_t(offset + filled))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
            }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(size - filled)
        return bytes
    }

    /// Writes a whole new file of mode 0600 and syncs it; it must not exist.
    static func create(_ path: String, _ bytes: [UInt8]) throws(AuditError) {
        let descriptor = try openNew(path)
        defer { close(descriptor) }
        try FileCalls.system.writeAll(descriptor, bytes)
        try FileCalls.system.syncAll(descriptor)
    }

    /// Whether a directory stands there.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The size of a file in bytes; nil when there is none.
    static func size(_ path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int(status.st_size)
    }
}
