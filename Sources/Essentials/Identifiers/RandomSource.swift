// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where unpredictable bytes come from. Secrets, ids and jitter take one, so that tests can repeat a run.
package protocol RandomSource: Sendable {
    /// That many unpredictable bytes.
    func bytes(_ count: Int) -> [UInt8]
}

/// The operating system's generator, which is cryptographically secure.
package struct SystemRandomSource: RandomSource {
    /// The operating system's generator.
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var result: [UInt8] = []
        result.reserveCapacity(count + 7)
        while result.count < count {
            withUnsafeBytes(of: generator.next()) { result.append(contentsOf: $0) }
        }
        return Array(result.prefix(count))
    }
}

extension RandomSource {
    /// Text of `count` characters drawn evenly from an alphabet of at most 256 ASCII characters (rejection sampling).
    package func text(_ count: Int, from alphabet: StaticString) -> String {
        let size = alphabet.utf8CodeUnitCount
        let limit = 256 - 256 % size
        var characters: [UInt8] = []
        while characters.count < count {
            for byte in bytes(count * 2) where Int(byte) < limit && characters.count < count {
                characters.append(alphabet.utf8Start[Int(byte) % size])
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
