// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// A checked event that was acknowledged and is applied later. It is in the database until its effect is.
package struct UsageClaim: Sendable, Hashable {
    /// After so many tries a claim is set aside.
    package static let maximumAttempts: Int64 = 10
    /// How long a worker has a claim: then another one may take it.
    package static let lease = UsageQueueRules.idle

    package var event: UsageEvent
    /// How often it was handed out, this time included.
    package var attempts: Int64

    package init(event: UsageEvent, attempts: Int64 = 0) {
        self.event = event
        self.attempts = attempts
    }

    /// Reads a row.
    ///
    /// - Throws: `BillingStoreError` `unreadable`.
    package init(_ row: PendingUsageRow) throws(BillingStoreError) {
        self.init(event: try UsageEvent(document: row.payload), attempts: row.attempts)
    }

    /// What its event is told from others by.
    var key: UsageKey { UsageKey(source: event.source, id: event.id) }

    /// The same for the same account, source and id of an event, so that an event waits once.
    package var id: String { Self.id(account: event.account, source: event.source, id: event.id) }

    /// The id of the claim of an event: 64 hex digits.
    package static func id(account: String, source: String, id: String) -> String {
        // As JSON no two of them are the same text.
        Hex.encode(SHA256.hash(data: Array(JSONValue.strings([account, source, id]).jsonText.utf8)))
    }

    /// As it is stored first.
    package func row(receivedAt: Timestamp) -> PendingUsageRow {
        PendingUsageRow(id: id, account: event.account, payload: event.document, receivedAt: receivedAt)
    }
}
