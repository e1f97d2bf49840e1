// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How events of the provider are taken.
package struct ProviderEventRules: Sendable, Hashable {
    /// The most subscriptions of one account that are compared.
    static let maximumSubscriptions = 1000
    /// How long a claimed event is one worker's, in seconds.
    static let leaseSeconds: Int64 = 60
    /// How long an event that fails is tried again, in seconds.
    static let patienceSeconds: Int64 = 72 * 3600
    /// How many events of a subscription from before the window are folded into its base at once: fewer are not worth the writing.
    static let foldedAtOnce = 8
    /// What a row says of an event that was folded into the base of its subscription: it is kept for the dedup window alone.
    static let foldedOutcome = "folded"

    /// How long ago an event may be from that is still put into its place.
    package var window: Duration
    package var timers: ProviderTimers
    /// Of a signature, in seconds.
    package var tolerance: Int64

    package init(
        window: Duration = ProviderFold.minimumWindow, timers: ProviderTimers = ProviderTimers(),
        tolerance: Int64 = 300
    ) {
        self.window = window
        self.timers = timers
        self.tolerance = tolerance
    }

    /// When an event that failed is tried again: after one minute, then twice the time before, six hours at most; nil = given up.
    ///
    /// - Parameter attempts: how many failed.
    package static func next(after attempts: Int64, receivedAt: Timestamp, at now: Timestamp) -> Timestamp? {
        guard now < receivedAt.adding(seconds: patienceSeconds) else { return nil }
        return now.adding(seconds: min(6 * 3600, 60 << min(max(0, attempts - 1), 16)))
    }
}

/// The secrets of the provider that are in force, and what they tell.
package struct ProviderSecrets: Sendable {
    /// All of them are active; none = not configured.
    package var webhookSecrets: Redacted<[String]>
    /// Nil = not configured.
    package var apiKey: Redacted<String>?

    package init(webhookSecrets: Redacted<[String]>, apiKey: Redacted<String>? = nil) {
        self.webhookSecrets = webhookSecrets
        self.apiKey = apiKey
    }

    /// Whether the key moves real money; nil where there is none, or it does not say.
    package var isLive: Bool? {
        guard let parts = apiKey?.revealed.split(separator: "_", maxSplits: 2), parts.count == 3 else { return nil }
        return parts[1] == "live" ? true : parts[1] == "test" ? false : nil
    }
}

/// What the provider is answered.
package struct ProviderEventAnswer: Sendable, Hashable {
    package var type: String
    package var outcome: ProviderOutcome

    package init(type: String, outcome: ProviderOutcome) {
        self.type = type
        self.outcome = outcome
    }

    /// `{"status":"ok","event_type":…,"outcome":…}`, for a repeat with `"message":"already processed"`.
    package var json: JSONValue {
        var object: JSONObject = [
            "status": "ok", "event_type": .string(type), "outcome": .string(outcome.rawValue),
        ]
        if outcome == .duplicate { object["message"] = "already processed" }
        return .object(object)
    }
}
