// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What became of a change: the record as it is now, and the text where one was minted.
package struct APIKeyAnswer: Sendable {
    package let record: APIKeyRecord
    /// The owner's present roles.
    package let roles: [String]
    /// The text, this once.
    package let key: Redacted<String>?
    package let message: String?
    /// The record that was changed or replaced, as it was before and after; nil where nothing was.
    package let before: APIKeyRecord?
    package let after: APIKeyRecord?
    /// When it happened.
    package let at: Timestamp

    init(
        record: APIKeyRecord, roles: [String], key: Redacted<String>? = nil, message: String? = nil,
        before: APIKeyRecord? = nil, after: APIKeyRecord? = nil, at: Timestamp
    ) {
        self.record = record
        self.roles = roles
        self.key = key
        self.message = message
        self.before = before
        self.after = after
        self.at = at
    }

    /// The key JSON, with the text where one was minted.
    package var json: JSONObject { record.json(at: at, roles: roles, key: key, message: message) }
}

/// One page of the list of keys.
package struct APIKeyPage: Sendable {
    /// The newest first, each with the present roles of its owner.
    package let keys: [(record: APIKeyRecord, roles: [String])]
    /// How many match the filter, on all pages.
    package let total: Int
    package let next: CredentialCursor?
    package let at: Timestamp

    /// The body of the answer.
    package var json: JSONObject {
        [
            "keys": .array(keys.map { .object($0.record.json(at: at, roles: $0.roles)) }), "total": .int(Int64(total)),
            "next_cursor": .optional(next?.text),
        ]
    }
}
