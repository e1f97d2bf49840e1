// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The admin token: only its digest is kept.
package struct AdminCredential: Sendable {
    let digest: SecretDigest
    /// Whether it was made by the product; then it does not count as a configured credential.
    package let isGenerated: Bool
    /// Who presents it.
    package let principal: Principal

    /// Takes a text that `ConfiguredToken` has nothing against.
    package init(token: Redacted<String>, isGenerated: Bool) {
        digest = SecretDigest(of: token.revealed)
        self.isGenerated = isGenerated
        principal = Principal(
            subject: "admin", identityType: .service, authSource: .staticToken, admin: true, platform: true,
            tokenID: "admin", workspaceIDs: ["*"], roles: ["admin"])
    }

    /// A new text: 32 random bytes as 43 characters base64url.
    package static func generate(random: some RandomSource) -> Redacted<String> {
        Redacted(Base64URL.encode(random.bytes(32)))
    }
}
