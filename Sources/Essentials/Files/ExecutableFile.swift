// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Executables below a directory, opened without following a link at any step and known by the SHA-256 of their bytes.
package enum ExecutableFile {
    /// The largest executable: 256 MiB.
    package static let largestSize: Int64 = 256 << 20

    /// What tells one state of a file from another without reading it.
    package struct Stamp: Sendable, Hashable {
        private let device: UInt64
        private let inode: UInt64
        private let size: Int64
        private let changed: [Int]

        fileprivate init(_ info: stat) {
            device = UInt64(truncatingIfNeeded: info.st_dev)
            inode = UInt64(truncatingIfNeeded: info.st_ino)
            size = Int64(info.st_size)
            #if canImport(Glibc)
                changed = [info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec]
            #else
                changed = [
                    info.st_mtimespec.tv_sec, info.st_mtimespec.tv_nsec, info.st_ctimespec.tv_sec,
                    info.st_ctimespec.tv_nsec,
                ]
            #endif
        }
    }

    /// What was found under a path.
    package enum Finding: Sendable, Hashable {
        /// Nothing.
        case missing
        /// Something that may not be run, and why.
        case unfit(String)
        /// An executable with the SHA-256 of its bytes in lower-case hex.
        case found(sha256: String, stamp: Stamp)
    }

    /// Looks at a file.
    ///
    /// - Parameters:
    ///   - path: relative to the directory.
    ///   - known: an earlier finding of this path: a file that has not changed since is not read again.
    package static func look(at path: String, below directory: String, known: Finding? = nil) -> Finding {
        let descriptor: Int32
        switch openSteps(path, below: directory) {
        case .success(let opened): descriptor = opened
        case .failure(let end): return end.finding
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { return .unfit("it cannot be looked at: \(reason(errno))") }
        guard info.st_mode & S_IFMT == S_IFREG else { return .unfit("it is no regular file") }
        guard info.st_mode & 0o022 == 0 else { return .unfit("group or others may write it: chmod go-w") }
        guard Int64(info.st_size) <= largestSize else { return .unfit("it has more than 256 MiB") }
        let stamp = Stamp(info)
        if case .found(_, let before)? = known, before == stamp, let known { return known }
        return hash(descriptor).map { .found(sha256: $0, stamp: stamp) } ?? .unfit("it cannot be read whole")
    }

    private struct End: Error {
        let finding: Finding
    }

    /// The SHA-256 of any file of at most `largestSize` bytes, links followed, in lower-case hex.
    package static func sha256(of path: String) throws(DurableFile.Failure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DurableFile.Failure(operation: "open", path: path, errorNumber: errno)
        }
        defer { close(descriptor) }
        guard let digest = hash(descriptor) else {
            throw DurableFile.Failure(operation: "read the whole of", path: path, errorNumber: EFBIG)
        }
        return digest
    }

    /// Opens one segment after the other, so that a link anywhere below the directory is an error.
    private static func openSteps(_ path: String, below directory: String) -> Result<Int32, End> {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            return .failure(End(finding: .unfit("its path has empty, . or .. segments")))
        }
        var descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(end(errno)) }
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY)
            let next = openat(descriptor, segment, flags)
            let number = errno
            close(descriptor)
            guard next >= 0 else { return .failure(end(number)) }
            descriptor = next
        }
        return .success(descriptor)
    }

    private static func end(_ number: Int32) -> End {
        switch number {
        case ENOENT: End(finding: .missing)
        case ELOOP, ENOTDIR: End(finding: .unfit("a step of its path is a link or no directory"))
        default: End(finding: .unfit("it cannot be opened: \(reason(number))"))
        }
    }

    private static func hash(_ descriptor: Int32) -> String? {
        var hash = SHA256()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var total: Int64 = 0
        while true {
            let count = chunk.withUnsafeMutableBytes { buffer in
                #if canImport(Glibc)
                    Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                #else
                    Darwin.read(descriptor, buffer.baseAddress, buffer.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { return Hex.encode(hash.finalize()) }
            total += Int64(count)
            guard total <= largestSize else { return nil }
            hash.update(data: chunk[..<count])
        }
    }

    private static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}
