// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// Under which names sessions are kept. Nobody who reads them can make a session's id or a user of them.
package enum SessionNames {
    /// A new session's id: 32 random bytes.
    package static func makeID(random: any RandomSource) -> String { Base64URL.encode(random.bytes(32)) }

    /// Of a session, by its id.
    package static func key(ofID id: String) -> String { "kc:session:" + hash(id) }

    /// By which a session may be named to its user: the first 16 digits of the hash.
    package static func handle(ofID id: String) -> String { String(hash(id).prefix(16)) }

    /// The handle of the session that is kept under a key.
    package static func handle(ofKey key: String) -> String { String(key.dropFirst("kc:session:".count).prefix(16)) }

    /// Under which a shared store keeps the key of the session that has a handle.
    package static func pointer(ofHandle handle: String) -> String { "kc:session:handle:" + handle }

    /// Of the index of a user's sessions.
    package static func user(issuer: String, subject: String) -> String {
        // Neither an issuer nor a subject holds a zero byte.
        "kc:session:user:" + hash(issuer + "\u{0}" + subject)
    }

    /// Of the lock that whoever refreshes a session's tokens holds.
    package static func lock(ofKey key: String) -> String { "kc:session:lock:" + key.dropFirst("kc:session:".count) }

    /// What pages of the session prove with that they are its own. Nobody can make it who does not know the id, and nobody makes the id of it.
    package static func proof(ofID id: String) -> String {
        Base64URL.encode(
            Array(
                HMAC<SHA256>.authenticationCode(
                    for: Array("tollgate CSRF token".utf8), using: SymmetricKey(data: Array(id.utf8)))))
    }

    private static func hash(_ text: String) -> String { Hex.encode(SHA256.hash(data: Array(text.utf8))) }
}
