// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Streams the lines of a segment with a buffer that grows no further than its longest line.
struct SegmentReader: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// The file offset just behind the last line that was given.
    private(set) var offset = 0

    /// The longest line that is looked for; a longer one is given in this many bytes and is malformed anyway.
    private static let longestLine = 1 << 20

    init(path: String, from offset: Int = 0) throws(AuditError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
        }
        self.path = path
        self.offset = Int(lseek(descriptor, off_t(offset), SEEK_SET))
        buffer = [UInt8](repeating: 0, count: 1 << 18)
    }

    deinit { close(descriptor) }

    /// What `next` found.
    enum Line: Hashable {
        /// A line that ended in LF.
        case whole
        /// Bytes behind the last LF, or a line that is too long.
        case partial
    }

    /// Gives the next line without its LF to `body`.
    ///
    /// - Returns: nil at the end of the file.
    mutating func next<Result>(
        _ body: (Line, UnsafeBufferPointer<UInt8>) throws(AuditError) -> Result
    ) throws(AuditError) -> Result? {
        var searched = start
        while true {
            let feed = buffer.withUnsafeBytes { bytes -> Int? in
                guard searched < end, let base = bytes.baseAddress,
                    let found = memchr(base + searched, 0x0A, end - searched)
                else { return nil }
                return UnsafeRawPointer(found) - base
            }
            if let feed {
                let line = start..<feed
                offset += line.count + 1
                start = feed + 1
                return try give(.whole, line, body)
            }
            searched = end
            if isAtEnd || end - start >= Self.longestLine {
                guard end > start else { return nil }
                let line = start..<end
                offset += line.count
                start = end
                return try give(.partial, line, body)
            }
            searched -= start
            try fill()
        }
    }

    private func give<Result>(
        _ kind: Line, _ range: Range<Int>, _ body: (Line, UnsafeBufferPointer<UInt8>) throws(AuditError) -> Result
    ) throws(AuditError) -> Result {
        try buffer.withUnsafeBufferPointer { bytes throws(AuditError) in
            try body(kind, UnsafeBufferPointer(rebasing: bytes[range]))
        }
    }

    private mutating func fill() throws(AuditError) {
        if start > 0 {
            buffer.withUnsafeMutableBytes { bytes in
                if let base = bytes.baseAddress { memmove(base, base + start, end - start) }
            }
            end -= start
            start = 0
        }
        if end == buffer.count { buffer.append(contentsOf: [UInt8](repeating: 0, count: buffer.count)) }
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { read(descriptor, $0 + end, bytes.count - end) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
            }
            isAtEnd = count == 0
            end += count
            return
        }
    }
}
