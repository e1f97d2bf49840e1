// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Something that the account's owner is told by webhook.
package struct AccountEvent: Sendable, Hashable {
    /// The types there are.
    package enum Kind: String, Sendable, CaseIterable {
        case thresholdCrossed = "billing.threshold.crossed"
        case subscriptionChanged = "billing.subscription.changed"
        case creditsGranted = "billing.credits.granted"
        case creditsExhausted = "billing.credits.exhausted"
        case budgetExceeded = "billing.budget.exceeded"
        case overshoot = "billing.overshoot"
        case alert = "billing.alert"
    }

    package var kind: Kind
    package var at: Timestamp
    /// The member `data` of the webhook.
    package var data: JSONObject
    /// Of a budget with a receiver of its own.
    package var webhookURL: String?

    package init(_ kind: Kind, at: Timestamp, data: JSONObject, webhookURL: String? = nil) {
        self.kind = kind
        self.at = at
        self.data = data
        self.webhookURL = webhookURL
    }

    /// `{type, timestamp, data}`
    package var json: JSONValue {
        [
            "type": .string(kind.rawValue), "timestamp": .string(at.rfc3339Micros), "data": .object(data),
        ]
    }
}
