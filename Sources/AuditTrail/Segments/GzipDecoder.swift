// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CZlib

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Gives the plain bytes of a gzip file, piece by piece. One thread at a time.
final class GzipDecoder {
    private static let pieceBytes = 1 << 16

    private let descriptor: Int32
    private let path: String
    // The library keeps the address of its state.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutablePointer<UInt8>
    private var isAtEnd = false

    /// Reads from a descriptor, which stays its owner's.
    init(descriptor: Int32, path: String) throws(AuditError) {
        self.descriptor = descriptor
        self.path = path
        input = .allocate(capacity: Self.pieceBytes)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            throw AuditError(code: .unreadable, message: "cannot begin to read \(path) (zlib \(code))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// Fills the buffer as far as one step gets.
    ///
    /// - Returns: how many bytes were put there; 0 at the end.
    /// - Throws: `damaged` where the file is not what was written, `unreadable`.
    func read(into buffer: UnsafeMutableBufferPointer<UInt8>) throws(AuditError) -> Int {
        guard !isAtEnd, let target = buffer.baseAddress, buffer.count > 0 else { return 0 }
        stream.pointee.next_out = target
        stream.pointee.avail_out = UInt32(buffer.count)
        while Int(stream.pointee.avail_out) == buffer.count {
            if stream.pointee.avail_in == 0, try fill() == 0 { throw damaged }
            switch inflate(stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: continue
            case Z_STREAM_END:
                isAtEnd = true
                // A segment is one member; what stands behind it was not written by this product.
                let rest = stream.pointee.avail_in > 0 ? 1 : try fill()
                guard rest == 0 else { throw damaged }
                return buffer.count - Int(stream.pointee.avail_out)
            default: throw damaged
            }
        }
        return buffer.count - Int(stream.pointee.avail_out)
    }

    private var damaged: AuditError {
        isAtEnd = true
        return AuditError(code: .damaged, message: "\(path) is no intact gzip file")
    }

    private func fill() throws(AuditError) -> Int {
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(descriptor, input, Self.pieceBytes)
            #else
                let count = Darwin.read(descriptor, input, Self.pieceBytes)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw AuditError(code: .unreadable, message: "cannot read \(path)", errno: errno)
            }
            stream.pointee.next_in = input
            stream.pointee.avail_in = UInt32(count)
            return count
        }
    }
}
