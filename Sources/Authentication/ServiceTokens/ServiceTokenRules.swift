// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What service tokens may say.
package enum ServiceTokenRules {
    /// How long a token may live.
    package static let lifetimeSeconds: ClosedRange<Int64> = 60...315_360_000
    /// Names that stand for callers of the product itself.
    package static let reservedIdentifiers: Set<String> = ["admin", "bootstrap", "anonymous", "system"]

    /// Whether a text is a scope: 1–4 parts of `[A-Za-z0-9_.-]{1,64}` joined by `:`, the last may be `*`, but not alone.
    package static func isScope(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count), text != "*" else { return false }
        return parts.enumerated().allSatisfy { index, part in
            if index == parts.count - 1, part.elementsEqual("*".utf8) { return true }
            return (1...64).contains(part.count) && part.allSatisfy(isScopeByte)
        }
    }

    /// Workspaces trimmed, lower case, without blanks and doubles, sorted by bytes.
    package static func workspaces(_ texts: some Sequence<String>) -> [String] {
        ASCII.sortedByBytes(Set(texts.map { ASCII.trimmed($0).lowercased() }.filter { !$0.isEmpty }))
    }

    private static func isScopeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension RequestFields {
    mutating func tokenIdentifier() -> String? {
        guard let text = text("identifier", maximumBytes: 63) else { return nil }
        if !TokenText.isIdentifier(text) {
            fault("identifier", "not 1 to 63 characters a-z, 0-9 and - that begin and end with a letter or digit")
        } else if ServiceTokenRules.reservedIdentifiers.contains(text) {
            fault("identifier", "reserved")
        }
        return text
    }

    mutating func scopes(_ name: String) -> [String] {
        stringSet(name, isValid: ServiceTokenRules.isScope, reason: "a scope")
    }

    mutating func tenant() -> String? {
        guard let text = text("tenant_id", maximumBytes: 128) else { return nil }
        let trimmed = ASCII.trimmed(text)
        if trimmed.isEmpty { fault("tenant_id", "blank") }
        return trimmed
    }
}
