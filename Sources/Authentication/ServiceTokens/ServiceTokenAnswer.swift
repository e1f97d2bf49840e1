// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What became of a change: the record as it is now, and the text where one was minted.
package struct ServiceTokenAnswer: Sendable {
    package let record: ServiceTokenRecord
    /// The text, this once.
    package let secret: Redacted<String>?
    package let message: String?
    /// The record that was changed or replaced, as it was before and after; nil where nothing was.
    package let before: ServiceTokenRecord?
    package let after: ServiceTokenRecord?
    /// When it happened.
    package let at: Timestamp

    init(
        record: ServiceTokenRecord, secret: Redacted<String>? = nil, message: String? = nil,
        before: ServiceTokenRecord? = nil, after: ServiceTokenRecord? = nil, at: Timestamp
    ) {
        self.record = record
        self.secret = secret
        self.message = message
        self.before = before
        self.after = after
        self.at = at
    }

    /// The token JSON, with the secret where one was minted.
    package var json: JSONObject { record.json(at: at, secret: secret, message: message) }
}

/// One page of the list of tokens.
package struct ServiceTokenPage: Sendable {
    /// The newest first.
    package let records: [ServiceTokenRecord]
    /// How many match the filter, on all pages.
    package let total: Int
    package let next: CredentialCursor?
    package let at: Timestamp

    /// The body of the answer.
    package var json: JSONObject {
        [
            "tokens": .array(records.map { .object($0.json(at: at)) }), "total": .int(Int64(total)),
            "next_cursor": .optional(next?.text),
        ]
    }
}
