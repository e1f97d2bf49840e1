// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How failed attempts are counted for the owner of a token: issuer and subject once a signature held.
package enum FailureIdentity {
    private static let prefix = "jwt\u{0}"

    /// The key under which failures count. Keys of different issuers, and of tokens of other kinds, never meet.
    package static func key(issuer: String?, subject: String) -> String { "\(prefix)\(issuer ?? "")\u{0}\(subject)" }

    /// What a message may call it: the subject of a key made here, every other key as it is.
    package static func display(_ key: String) -> String {
        guard key.utf8.starts(with: prefix.utf8) else { return key }
        let rest = key.utf8.dropFirst(prefix.utf8.count)
        guard let separator = rest.firstIndex(of: 0) else { return key }
        return String(Substring(rest[rest.index(after: separator)...]))
    }
}
