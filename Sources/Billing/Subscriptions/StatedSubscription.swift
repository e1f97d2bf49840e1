// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a Subscription object says of an account, checked.
package struct StatedSubscription: Sendable, Hashable {
    /// Whose word holds.
    package enum Source: String, Sendable, CaseIterable {
        /// The object's.
        case manual
        /// The provider's events'.
        case stripe
    }

    /// UID of the object: the origin of its pools.
    package var uid: String
    package var source: Source
    /// Name of a plan of the catalogue; required for `manual`, only expected for `stripe`.
    package var plan: String?
    /// From where periods are counted; nil = start of the UTC day in which the object was made.
    package var anchor: Timestamp
    /// `spec.overrides`, checked by the object's schema.
    package var overrides: JSONValue?
    package var isSuspended: Bool
    /// When a manual subscription ends by itself.
    package var validUntil: Timestamp?

    package init(
        uid: String, source: Source = .manual, plan: String?, anchor: Timestamp, overrides: JSONValue? = nil,
        isSuspended: Bool = false, validUntil: Timestamp? = nil
    ) {
        self.uid = uid
        self.source = source
        self.plan = plan
        self.anchor = anchor
        self.overrides = overrides
        self.isSuspended = isSuspended
        self.validUntil = validUntil
    }
}
