// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// Hashes the lines of a segment: SHA-256, or HMAC-SHA256 with a key, over `tollgate.audit.v1`, LF and the object without its last member.
package struct ChainHasher: Sendable {
    /// What a writer's very first line has as `prev_hash`.
    package static let zeros = String(repeating: "0", count: 64)

    private let key: SymmetricKey?
    /// Names the key in headers without revealing it: 16 hex digits; nil without a key.
    package let keyID: String?

    private static let domain = Array("tollgate.audit.v1\n".utf8)

    /// Hashes without a key, or with one of at least 32 bytes.
    package init(key: Redacted<[UInt8]>?) {
        self.key = key.map { SymmetricKey(data: $0.revealed) }
        keyID = key.map { key in
            var hash = SHA256()
            hash.update(data: Array("tollgate.audit.key\n".utf8))
            hash.update(data: key.revealed)
            return Hex.encode(hash.finalize().prefix(8))
        }
    }

    /// `sha256` or `hmac-sha256`.
    package var algorithm: String { key == nil ? "sha256" : "hmac-sha256" }

    /// The 64 hex digits for an object whose bytes, without its last member and without its closing brace, are given.
    func digest(openObject bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let brace: [UInt8] = [UInt8(ascii: "}")]
        if let key {
            var hmac = HMAC<SHA256>(key: key)
            hmac.update(data: Self.domain)
            hmac.update(bufferPointer: bytes)
            hmac.update(data: brace)
            return Self.hex(hmac.finalize())
        }
        var hash = SHA256()
        hash.update(data: Self.domain)
        hash.update(bufferPointer: bytes)
        hash.update(data: brace)
        return Self.hex(hash.finalize())
    }

    private static func hex(_ digest: some Sequence<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in digest { Hex.append(byte, to: &text) }
        return text
    }
}

extension HMAC<SHA256> {
    fileprivate mutating func update(bufferPointer: UnsafeRawBufferPointer) { update(data: bufferPointer) }
}
