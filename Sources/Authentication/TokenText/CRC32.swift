// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The IEEE CRC-32, as zlib computes it.
enum CRC32 {
    /// Eight tables of 256: the n-th tells what a byte does n bytes later, so that eight bytes are taken at a time.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            tables[index] = value
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ (before >> 8)
        }
        return tables
    }()

    /// The checksum of the bytes.
    static func of(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            let raw = UnsafeRawBufferPointer(bytes)
            var value = UInt32.max
            var position = 0
            while position + 8 <= raw.count {
                let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let mixed = word ^ UInt64(value)
                value = 0
                for index in 0..<8 {
                    value ^= tables[(7 - index) * 256 + Int(truncatingIfNeeded: mixed >> UInt64(index * 8) & 0xFF)]
                }
                position += 8
            }
            for byte in raw[position...] { value = tables[Int((value ^ UInt32(byte)) & 0xFF)] ^ (value >> 8) }
            return ~value
        }
    }
}
