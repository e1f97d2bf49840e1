// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Makes the bytes of a gzip file, piece by piece. One thread at a time.
final class GzipEncoder {
    // The library keeps the address of its state.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(AuditError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = deflateInit2_(
            stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            throw AuditError(code: .unwritable, message: "cannot begin to compress (zlib \(code))")
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Takes the next plain bytes and gives what they add to the file; with `isLast` also its end.
    func compress(_ plain: [UInt8], isLast: Bool) throws(AuditError) -> [UInt8] {
        var plain = plain
        var output: [UInt8] = []
        output.reserveCapacity(plain.count / 4)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let code = plain.withUnsafeMutableBufferPointer { plain in
            stream.pointee.next_in = plain.baseAddress
            stream.pointee.avail_in = UInt32(plain.count)
            var code = Z_OK
            var left: UInt32 = 0
            repeat {
                let filled = piece.withUnsafeMutableBufferPointer { piece in
                    stream.pointee.next_out = piece.baseAddress
                    stream.pointee.avail_out = UInt32(piece.count)
                    code = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    left = stream.pointee.avail_out
                    return piece.count - Int(left)
                }
                output += piece[..<filled]
            } while left == 0
            return code
        }
        // With nothing left to do the library says that it could do nothing.
        let isSound = isLast ? code == Z_STREAM_END : code == Z_OK || code == Z_BUF_ERROR
        guard isSound else { throw AuditError(code: .unwritable, message: "cannot compress (zlib \(code))") }
        return output
    }
}
