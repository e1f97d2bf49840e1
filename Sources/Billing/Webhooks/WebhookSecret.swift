// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// A secret of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes, which are the key.
package struct WebhookSecret: Sendable, Equatable {
    private static let prefix = "whsec_"

    /// As it is shown once and stored.
    package let text: Redacted<String>
    private let key: Redacted<[UInt8]>

    /// Nil where the text is none.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix),
            let key = PaddedBase64.decode(String(text.dropFirst(Self.prefix.count))), (24...64).contains(key.count)
        else { return nil }
        self.text = Redacted(text)
        self.key = Redacted(key)
    }

    private init(key: [UInt8]) {
        text = Redacted(Self.prefix + PaddedBase64.encode(key))
        self.key = Redacted(key)
    }

    /// A new one of 32 unpredictable bytes.
    package static func make(_ random: some RandomSource) -> WebhookSecret { WebhookSecret(key: random.bytes(32)) }

    /// `v1,<base64>` of `id.timestamp.body`.
    func signature(_ signed: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key.revealed))
        return "v1," + PaddedBase64.encode(Array(code))
    }
}

/// The headers that prove who sent a webhook (Standard Webhooks 1.0).
package struct WebhookHeaders: Sendable, Hashable {
    /// The same for every attempt.
    package let id: String
    /// UNIX seconds of this attempt.
    package let timestamp: String
    /// One signature for each active secret, the current one's first, blank between.
    package let signature: String

    /// Signs a body.
    ///
    /// - Parameter secrets: those that are active, the current one first.
    package init(id: String, body: [UInt8], secrets: [WebhookSecret], at now: Timestamp) {
        self.id = id
        timestamp = String(now.seconds)
        let signed = Array("\(id).\(timestamp).".utf8) + body
        signature = secrets.map { $0.signature(signed) }.joined(separator: " ")
    }

    /// Names and values as they are sent.
    package var list: [(name: String, value: String)] {
        [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)]
    }
}
