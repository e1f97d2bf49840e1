// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// A text as it stands in an index of PostgreSQL, which holds no long ones: a long one is its beginning and a digest of it. That is longer
/// than any text that is kept whole, so the two are never taken for each other.
enum BillingKey {
    /// The longest text that is kept whole, in bytes.
    static let longest = 200

    /// - Returns: the key, and the whole text where the key is another.
    static func of(_ text: String) -> (key: String, whole: String?) {
        guard text.utf8.count > longest else { return (text, nil) }
        let beginning = String(decoding: text.utf8.prefix(longest), as: UTF8.self)
        return (beginning + Hex.encode(SHA256.hash(data: Array(text.utf8))), text)
    }
}
