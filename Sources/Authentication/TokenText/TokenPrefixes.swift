// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The texts with which tokens of the store begin: `tgs_` for service tokens, `<prefix>_live_` and `<prefix>_test_` for API keys.
package struct TokenPrefixes: Sendable, Hashable {
    /// What every service token begins with.
    package static let serviceToken = "tgs_"

    /// Begins the keys that are made now.
    package let apiKey: String
    /// Began keys that may still be around.
    package let oldAPIKeys: [String]
    private let apiKeyStarts: [[UInt8]]

    /// Takes prefixes that `isValid`.
    package init(apiKey: String = "tgk", oldAPIKeys: [String] = []) {
        self.apiKey = apiKey
        self.oldAPIKeys = oldAPIKeys
        apiKeyStarts = ([apiKey] + oldAPIKeys).flatMap { [Array("\($0)_live_".utf8), Array("\($0)_test_".utf8)] }
    }

    /// What a new key of that environment begins with.
    package func apiKeyStart(_ environment: APIKeyRecord.Environment) -> String { "\(apiKey)_\(environment.rawValue)_" }

    /// Whether a text may be an API-key prefix: `[a-z][a-z0-9]{1,15}`, but not `tgs`.
    package static func isValid(_ text: String) -> Bool {
        guard (2...16).contains(text.utf8.count), text != "tgs", let first = text.utf8.first,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
        else { return false }
        return text.utf8.allSatisfy(TokenText.isLowerAlphanumeric)
    }

    /// Which kind of stored token the text claims to be, and how many bytes say so.
    package func kind(of text: UnsafeBufferPointer<UInt8>) -> (kind: TokenText.Kind, length: Int)? {
        if text.count >= 4, text[0] == 0x74, text[1] == 0x67, text[2] == 0x73, text[3] == 0x5F {
            return (.serviceToken, 4)
        }
        for start in apiKeyStarts where text.count >= start.count && text.starts(with: start) {
            return (.apiKey, start.count)
        }
        return nil
    }

    /// Which kind of stored token the text claims to be.
    package func kind(of text: String) -> TokenText.Kind? {
        var text = text
        return text.withUTF8 { kind(of: $0)?.kind }
    }
}
