// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Files that are replaced whole; unless said otherwise only their owner may read them.
enum AtomicFile {
    /// Replaces a file so that a reader sees the old or the new whole: a temporary file beside it, synced, renamed, and the directory
    /// synced. The directory is made when it is not there.
    static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o600, directoryMode: UInt32 = 0o700
    ) throws(FileFault) {
        let directory = parent(of: path)
        try makeDirectory(directory, mode: directoryMode)
        let temporary = path + ".tmp-\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw .system(errno) }
        do throws(FileFault) {
            defer { close(descriptor) }
            guard fchmod(descriptor, mode) == 0 else { throw .system(errno) }
            try writeAll(bytes, to: descriptor)
            guard fsync(descriptor) == 0 else { throw .system(errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw .system(number)
        }
        try syncDirectory(directory)
    }

    /// Makes a directory and its parents with that mode; those that exist stay as they are.
    static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(FileFault) {
        if path.isEmpty || isDirectory(path) { return }
        try makeDirectory(parent(of: path), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .system(errno) }
    }

    /// Takes away the rights of group and others when there are any.
    ///
    /// - Returns: whether something had to be taken away; nil when there is no such file.
    static func repair(_ path: String) throws(FileFault) -> Bool? {
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system(errno)
        }
        guard facts.st_mode & 0o077 != 0 else { return false }
        guard chmod(path, facts.st_mode & 0o700) == 0 else { throw .system(errno) }
        return true
    }

    /// Whether there is a directory at that path.
    static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// The directory of a path.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(FileFault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    private static func syncDirectory(_ path: String) throws(FileFault) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(errno) }
    }
}

/// What the system tells about paths.
enum FileFacts {
    /// Whether something is there that can be reached.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
