// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Streams the lines of a segment, compressed or not, with a buffer that grows no further than its longest line.
struct SegmentReader: ~Copyable {
    private let descriptor: Int32
    private let path: String
    /// For a compressed segment.
    private let decoder: GzipDecoder?
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// The offset just behind the last line that was given, in plain bytes.
    private(set) var offset = 0

    /// The longest line that is looked for; a longer one is given in this many bytes and is malformed anyway.
    private static let longestLine = 1 << 20

    /// - Throws: `unreadable`.
    init(path: String) throws(AuditError) {
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else {
            throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
        }
        try self.init(descriptor: opened, path: path)
    }

    /// Reads a segment of a directory, whichever of its two files is there: a compressed one appears before the plain one goes away.
    init(_ segment: SegmentName, in directory: String) throws(AuditError) {
        let path = "\(directory)/\(segment.file)"
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        if opened < 0, errno == ENOENT {
            try self.init(path: "\(directory)/\(segment.compressedFile)")
        } else if opened < 0 {
            throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
        } else {
            try self.init(descriptor: opened, path: path)
        }
    }

    private init(descriptor: Int32, path: String) throws(AuditError) {
        do throws(AuditError) {
            decoder =
                path.hasSuffix(SegmentName.compressedSuffix)
                ? try GzipDecoder(descriptor: descriptor, path: path) : nil
        } catch {
            closeDescriptor(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
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
        let count = try readMore()
        isAtEnd = count == 0
        end += count
    }

    private mutating func readMore() throws(AuditError) -> Int {
        let (decoder, start) = (decoder, end)
        if let decoder {
            return try buffer.withUnsafeMutableBufferPointer { bytes throws(AuditError) in
                try decoder.read(into: UnsafeMutableBufferPointer(rebasing: bytes[start...]))
            }
        }
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { read(descriptor, $0 + start, bytes.count - start) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
            }
            return count
        }
    }
}
