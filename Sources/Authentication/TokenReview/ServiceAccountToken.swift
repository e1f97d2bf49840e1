// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The token with which a pod speaks to its API server.
package enum ServiceAccountToken {
    private static let subjectPrefix = "system:serviceaccount:"

    /// Who makes the tokens of the cluster, by a token that Tollgate itself was given there. Nothing is verified: whoever gave it is trusted.
    ///
    /// - Returns: nil for whatever is no service account's token.
    package static func issuer(of token: Redacted<String>) -> String? {
        var text = ASCII.trimmed(token.revealed)
        // What is no signed token has no issuer; why does not matter.
        guard let claims = text.withUTF8({ try? CompactToken(text: $0) })?.claims,
            let issuer = claims["iss"]?.stringValue, !issuer.isEmpty,
            claims["sub"]?.stringValue?.utf8.starts(with: subjectPrefix.utf8) ?? false
        else { return nil }
        return issuer
    }
}
