// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Time-ordered UUIDs (RFC 9562 section 5.7).
package enum UUIDv7 {
    /// A lower-case UUID whose 48-bit time is the instant cut to milliseconds.
    package static func make(at instant: Timestamp, random: some RandomSource) -> String {
        let noise = random.bytes(10)
        return noise.withUnsafeBufferPointer { make(milliseconds: UInt64(max(0, instant.milliseconds)), noise: $0) }
    }

    /// A lower-case UUID from the operating system's generator: the form for the request path, which allocates nothing but the text and asks
    /// the system for the noise of sixteen at a time.
    package static func make(at instant: Timestamp) -> String {
        var noise = pool.withLock { $0.next() }
        return withUnsafeBytes(of: &noise) {
            make(milliseconds: UInt64(max(0, instant.milliseconds)), noise: $0.bindMemory(to: UInt8.self))
        }
    }

    private static let pool = Mutex(NoisePool())

    /// Noise from the operating system that was not used yet.
    private struct NoisePool: Sendable {
        private var words: [UInt64] = []

        mutating func next() -> (UInt64, UInt64) {
            if words.count < 2 { refill() }
            return (words.removeLast(), words.removeLast())
        }

        private mutating func refill() {
            words = Array(repeating: 0, count: 32)
            // 256 bytes are what one call gives at most.
            let isFilled = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) == 0 }
            guard !isFilled else { return }
            var generator = SystemRandomNumberGenerator()
            for index in words.indices { words[index] = generator.next() }
        }
    }

    private static func make(milliseconds: UInt64, noise: UnsafeBufferPointer<UInt8>) -> String {
        String(unsafeUninitializedCapacity: 36) { text in
            let digits: StaticString = "0123456789abcdef"
            var position = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    text[position] = UInt8(ascii: "-")
                    position += 1
                }
                var byte =
                    index < 6 ? UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - index * 8)) : noise[index - 6]
                if index == 6 { byte = byte & 0x0F | 0x70 }
                if index == 8 { byte = byte & 0x3F | 0x80 }
                text[position] = digits.utf8Start[Int(byte >> 4)]
                text[position + 1] = digits.utf8Start[Int(byte & 0x0F)]
                position += 2
            }
            return 36
        }
    }
}
