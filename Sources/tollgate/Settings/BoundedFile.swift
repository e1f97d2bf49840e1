// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A file that could not be read or written, in the words of the system.
struct FileFault: Error, Sendable, CustomStringConvertible {
    let description: String

    /// The reason of the last failed system call.
    static func system(_ number: Int32) -> FileFault { FileFault(description: String(cString: strerror(number))) }
}

/// Reads small files whole.
enum BoundedFile {
    /// The bytes of a file of at most `limit` bytes.
    static func read(_ path: String, limit: Int = 1 << 20) throws(FileFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
        defer { close(descriptor) }
        return try read(descriptor, limit: limit)
    }

    /// The bytes of the standard input, at most 16 MiB.
    static func readStandardInput() throws(FileFault) -> [UInt8] { try read(STDIN_FILENO, limit: 16 << 20) }

    private static func read(_ descriptor: Int32, limit: Int) throws(FileFault) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > limit { throw FileFault(description: "over \(limit) bytes") }
        }
    }
}
