// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the webhook call answers about one alert.
package struct AlertResult: Sendable, Hashable {
    /// What became of it.
    package enum Outcome: String, Sendable, CaseIterable {
        /// The API server accepted the action; verification follows.
        case executed
        case failed
        /// Nothing was done, because it could not have been remembered or recorded.
        case error
        case dryRun = "dry_run"
        case cooldownSkip = "cooldown_skip"
        case skipped
    }

    package var alertName: String
    package var fingerprint: String
    package var outcome: Outcome
    package var reason: String?
    package var command: String?

    /// Takes the parts.
    package init(_ alert: Alert, _ outcome: Outcome, reason: String? = nil, command: String? = nil) {
        alertName = alert.name
        fingerprint = alert.fingerprint
        self.outcome = outcome
        self.reason = reason
        self.command = command
    }

    /// As the answer shows it.
    package var json: JSONValue {
        [
            "alert": .string(alertName), "fingerprint": .string(fingerprint), "result": .string(outcome.rawValue),
            "reason": .optional(reason), "cmd": .optional(command),
        ]
    }
}
