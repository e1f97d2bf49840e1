// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The slot of a cluster that a key belongs to.
enum RedisSlot {
    static let count = 16_384

    /// CRC-16 (XMODEM) of the key, or of what stands between its first `{` and the next `}` where that is not empty.
    static func of(_ key: String) -> Int {
        let bytes = Array(key.utf8)
        guard let open = bytes.firstIndex(of: UInt8(ascii: "{")),
            let close = bytes[(open + 1)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        else { return Int(crc(bytes[...])) % count }
        return Int(crc(bytes[(open + 1)..<close])) % count
    }

    private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var value: UInt16 = 0
        for byte in bytes {
            value ^= UInt16(byte) << 8
            for _ in 0..<8 { value = value & 0x8000 == 0 ? value << 1 : value << 1 ^ 0x1021 }
        }
        return value
    }
}
