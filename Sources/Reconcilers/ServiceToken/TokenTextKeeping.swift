// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import ResourceModel

/// Where the texts of minted tokens go.
package protocol TokenTextKeeping: Sendable {
    /// What stands under that name.
    func look(_ secret: TokenSecret) async throws -> TokenSecretState

    /// Makes sure that a text could be written, before one is made.
    func prepare(_ secret: TokenSecret) async throws

    /// Writes the text, whole or not at all.
    func write(_ text: Redacted<String>, secret: TokenSecret) async throws

    /// Takes it away; what is not there, or is not the owner's, is left as it is.
    func remove(_ secret: TokenSecret) async throws
}

/// What stands under the name of a token's Secret.
package enum TokenSecretState: Sendable {
    case absent
    /// A Secret that was made for this token, and the text under its key.
    case own(Redacted<String>?)
    /// A Secret that must not be touched; the reason is for people.
    case foreign(String)

    /// The text of the own Secret.
    package var text: Redacted<String>? {
        if case .own(let text) = self { text } else { nil }
    }
}

/// The Secret that holds the text of a ServiceToken.
package struct TokenSecret: Sendable, Hashable {
    package var namespace: String
    package var name: String
    package var key: String
    package var identifier: String
    package var expiresAt: Timestamp?
    /// The ServiceToken whose Secret it is, where an API server tells objects of one name apart.
    package var owner: Owner?

    /// An object of the API server.
    package struct Owner: Sendable, Hashable {
        package var name: String
        package var uid: String

        package init(name: String, uid: String) {
            self.name = name
            self.uid = uid
        }
    }

    package init(
        namespace: String, name: String, key: String, identifier: String, expiresAt: Timestamp?, owner: Owner? = nil
    ) {
        self.namespace = namespace
        self.name = name
        self.key = key
        self.identifier = identifier
        self.expiresAt = expiresAt
        self.owner = owner
    }
}
