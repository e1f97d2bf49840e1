// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Small files that are there as a whole or not at all.
package enum DurableFile {
    /// Why a file could not be written or read, with the path and the system's own words.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package let operation: String
        package let path: String
        package let errorNumber: Int32

        package init(operation: String, path: String, errorNumber: Int32) {
            self.operation = operation
            self.path = path
            self.errorNumber = errorNumber
        }

        package var description: String { "cannot \(operation) \(path): \(String(cString: strerror(errorNumber)))" }
    }

    /// Writes a file so that readers, also after a power cut, see the old bytes or the new ones and nothing between:
    /// temporary file beside it, sync, rename, sync of the directory.
    ///
    /// - Parameter mode: permission bits of the new file.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(Failure) {
        let temporary = try writeTemporary(bytes, beside: path, mode: mode)
        guard rename(temporary, path) == 0 else {
            let failure = failure("rename to", path)
            unlink(temporary)
            throw failure
        }
        try syncDirectory(of: path)
    }

    /// Writes a file that must not be there yet, with the durability of `write`.
    ///
    /// - Throws: with `EEXIST` when something has the name already; it is left as it is.
    package static func create(_ bytes: [UInt8], at path: String, mode: UInt32 = 0o600) throws(Failure) {
        let temporary = try writeTemporary(bytes, beside: path, mode: mode)
        let isNew = link(temporary, path) == 0
        let failure = failure("create", path)
        unlink(temporary)
        guard isNew else { throw failure }
        try syncDirectory(of: path)
    }

    /// Replaces a file that is still as it was read, with the durability of `write`; the new file has the mode of the old one.
    ///
    /// The old bytes are compared when nothing but the rename is left to do, so the moment in which another writer goes unnoticed is as
    /// short as a file system without locks allows.
    ///
    /// - Returns: false, with the file untouched, when it holds other bytes than `old` or is gone.
    package static func replace(
        _ old: [UInt8], with bytes: [UInt8], at path: String
    ) throws(Failure) -> Bool {
        var info = stat()
        guard stat(path, &info) == 0 else {
            if errno == ENOENT { return false }
            throw failure("look at", path)
        }
        let temporary = try writeTemporary(bytes, beside: path, mode: UInt32(info.st_mode & 0o777))
        do throws(Failure) {
            guard try read(path, limit: max(old.count, 1)) == old else {
                unlink(temporary)
                return false
            }
            guard rename(temporary, path) == 0 else { throw failure("rename to", path) }
        } catch {
            unlink(temporary)
            if error.errorNumber == EFBIG { return false }
            throw error
        }
        try syncDirectory(of: path)
        return true
    }

    /// Whether `replace` may succeed: a file itself, no symbolic link to one, in a directory that this process may write.
    package static func isReplaceable(_ path: String) -> Bool {
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return false }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return access(folder.isEmpty ? "/" : folder, W_OK) == 0
    }

    /// Writes and syncs a file that nobody looks for yet.
    private static func writeTemporary(
        _ bytes: [UInt8], beside path: String, mode: UInt32
    ) throws(Failure) -> String {
        let temporary = "\(path).tmp-\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(mode))
        guard descriptor >= 0 else { throw failure("create", temporary) }
        do throws(Failure) {
            try writeAll(bytes, to: descriptor, path: temporary)
            guard fchmod(descriptor, mode_t(mode)) == 0 else { throw failure("set the mode of", temporary) }
            guard fsync(descriptor) == 0 else { throw failure("sync", temporary) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        close(descriptor)
        return temporary
    }

    /// Reads a whole file of at most `limit` bytes; nil when there is none.
    package static func read(_ path: String, limit: Int = 1 << 20) throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = readChunk(descriptor, &chunk)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read", path)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= limit else { throw Failure(operation: "read", path: path, errorNumber: EFBIG) }
        }
    }

    /// Makes a directory and its parents where they are missing; those that exist stay as they are.
    ///
    /// - Parameter mode: permission bits of new directories.
    package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(Failure) {
        if mkdir(path, mode_t(mode)) == 0 { return }
        switch errno {
        case EEXIST:
            var info = stat()
            guard stat(path, &info) == 0 else { throw failure("look at", path) }
            guard info.st_mode & S_IFMT == S_IFDIR else {
                throw Failure(operation: "make the directory", path: path, errorNumber: ENOTDIR)
            }
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw failure("make the directory", path)
            }
            try makeDirectory(String(path[..<slash]), mode: mode)
            guard mkdir(path, mode_t(mode)) == 0 || errno == EEXIST else { throw failure("make the directory", path) }
        default: throw failure("make the directory", path)
        }
    }

    /// Takes away the rights of group and others when there are any.
    ///
    /// - Returns: whether something had to be taken away; nil when there is no such file.
    package static func makePrivate(_ path: String) throws(Failure) -> Bool? {
        var info = stat()
        guard stat(path, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("look at", path)
        }
        guard info.st_mode & 0o077 != 0 else { return false }
        guard chmod(path, info.st_mode & 0o700) == 0 else { throw failure("set the mode of", path) }
        return true
    }

    /// The permission bits of a file; nil when there is none.
    package static func permissions(of path: String) throws(Failure) -> UInt32? {
        var info = stat()
        guard stat(path, &info) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("look at", path)
        }
        return UInt32(info.st_mode & 0o777)
    }

    /// Whether something is there that can be reached.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Takes a file away; a file that is not there is fine.
    package static func remove(_ path: String) throws(Failure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws(Failure) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", folder) }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(Failure) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Self.write(descriptor, UnsafeRawBufferPointer(rebasing: buffer[offset...]))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write", path)
            }
            offset += count
        }
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    private static func readChunk(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
        chunk.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }

    private static func failure(_ operation: String, _ path: String) -> Failure {
        Failure(operation: operation, path: path, errorNumber: errno)
    }
}
