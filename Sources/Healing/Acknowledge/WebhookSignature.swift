// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// Tests who calls the webhook. Secrets are compared in constant time.
package enum WebhookSignature {
    /// In seconds: how far the time of a signature may be off.
    package static let tolerance: Int64 = 300

    /// Whether `sha256=<hex>` is the HMAC of `timestamp.body` and the timestamp is of now.
    package static func holds(
        signature: String, timestamp: String, body: [UInt8], key: Redacted<[UInt8]>, at now: Timestamp
    ) -> Bool {
        guard signature.hasPrefix("sha256="), let code = Hex.decode(signature.dropFirst(7)),
            (1...12).contains(timestamp.utf8.count), timestamp.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let seconds = Int64(timestamp), abs(now.seconds - seconds) <= tolerance
        else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            code, authenticating: Array(timestamp.utf8) + [UInt8(ascii: ".")] + body,
            using: SymmetricKey(data: key.revealed))
    }

    /// Whether a token is the one that is expected.
    package static func holds(token: String, expected: Redacted<String>) -> Bool {
        // Digests are compared in constant time.
        SHA256.hash(data: Array(token.utf8)) == SHA256.hash(data: Array(expected.revealed.utf8))
    }

    /// The signature of a notice: `v1,<base64 HMAC-SHA256 of id.timestamp.body>`.
    package static func notice(id: String, timestamp: String, body: [UInt8], key: Redacted<[UInt8]>) -> String {
        let text = Array("\(id).\(timestamp).".utf8) + body
        let code = HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key.revealed))
        return "v1," + PaddedBase64.encode(Array(code))
    }
}
