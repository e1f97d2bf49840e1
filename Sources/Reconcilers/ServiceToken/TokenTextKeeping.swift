// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import ResourceModel

/// Where the texts of minted tokens go.
package protocol TokenTextKeeping: Sendable {
    /// Makes sure that a text could be written, before one is made.
    func prepare(_ secret: TokenSecret) throws

    /// Writes the text, whole or not at all.
    func write(_ text: Redacted<String>, secret: TokenSecret) throws

    /// The text as it stands there; nil when there is none.
    func read(_ secret: TokenSecret) throws -> Redacted<String>?

    /// Takes it away; what is not there is fine.
    func remove(_ secret: TokenSecret) throws
}

/// The Secret that holds the text of a ServiceToken.
package struct TokenSecret: Sendable, Hashable {
    package var namespace: String
    package var name: String
    package var key: String
    package var identifier: String
    package var expiresAt: Timestamp?

    package init(namespace: String, name: String, key: String, identifier: String, expiresAt: Timestamp?) {
        self.namespace = namespace
        self.name = name
        self.key = key
        self.identifier = identifier
        self.expiresAt = expiresAt
    }
}
