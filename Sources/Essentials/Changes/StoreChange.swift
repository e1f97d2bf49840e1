// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One entity of a shared store that somebody changed.
package struct StoreChange: Sendable, Hashable {
    /// What it is. The raw value is how a store names it.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A service token; its key is the identifier.
        case serviceToken = "service_token"
        /// An API key; its key is the id.
        case apiKey = "api_key"
        /// The roles of somebody who owns API keys; its key is `APIKeyOwner.Identity.changeKey`.
        case apiKeyOwner = "api_key_owner"
        /// A share between projects; its key is the id.
        case share
        /// A project; its key is the id. No replica holds projects in memory.
        case project
        /// A document of the policy data; its key is the document's name.
        case policy
    }

    package let kind: Kind
    package let key: String

    package init(_ kind: Kind, _ key: String) {
        self.kind = kind
        self.key = key
    }
}
