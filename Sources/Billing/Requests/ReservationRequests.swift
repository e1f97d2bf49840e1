// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `POST /v1/billing/reservations`: `{account?, key, ttl?, usage | micro_credits, user?, project?, agent?}`
package struct ReservationRequest: Sendable, Hashable {
    /// Nil = the caller's tenant.
    package var account: String?
    /// The caller's; unique within the account.
    package var key: String
    /// How long the hold stands, 10 seconds to an hour.
    package var ttl: Duration
    package var amount: UsageAmount
    package var user: String?
    package var project: String?
    package var agent: String?

    /// How long a hold stands where the body does not say, and how long it may.
    package static let defaultTTL = Duration.seconds(300)
    package static let ttlSeconds: ClosedRange<Int64> = 10...3600

    package init(
        account: String? = nil, key: String, ttl: Duration = ReservationRequest.defaultTTL, amount: UsageAmount,
        user: String? = nil, project: String? = nil, agent: String? = nil
    ) {
        self.account = account
        self.key = key
        self.ttl = ttl
        self.amount = amount
        self.user = user
        self.project = project
        self.agent = agent
    }

    /// - Throws: `request.malformed`, `request.invalid`, and what counts of tokens are refused with.
    package static func read(_ body: JSONObject) throws(Refusal) -> ReservationRequest {
        var fields = try BodyFields(
            body, known: ["account", "key", "ttl", "usage", "micro_credits", "user", "project", "agent"])
        let account = fields.text("account")
        let key = fields.requiredText("key")
        let ttl = fields.duration("ttl", ttlSeconds, words: "a duration from 10s to 1h")
        let (user, project, agent) = (fields.text("user"), fields.text("project"), fields.text("agent"))
        let amount = try UsageAmount.read(&fields, needsModel: true, estimates: true)
        try fields.finish()
        return ReservationRequest(
            account: account, key: key, ttl: ttl ?? defaultTTL, amount: amount ?? .microCredits(0), user: user,
            project: project, agent: agent)
    }
}

/// `POST /v1/billing/reservations/{id}/commit`: `{usage | micro_credits, key?}`
package struct CommitRequest: Sendable, Hashable {
    /// The total that was used.
    package var amount: UsageAmount
    package var key: String?

    package init(amount: UsageAmount, key: String? = nil) {
        self.amount = amount
        self.key = key
    }

    /// - Throws: `request.malformed`, `request.invalid`, and what counts of tokens are refused with.
    package static func read(_ body: JSONObject) throws(Refusal) -> CommitRequest {
        var fields = try BodyFields(body, known: ["usage", "micro_credits", "key"])
        let key = fields.text("key")
        let amount = try UsageAmount.read(&fields, needsModel: false, estimates: false)
        try fields.finish()
        return CommitRequest(amount: amount ?? .microCredits(0), key: key)
    }
}

/// `POST /v1/billing/reservations/{id}/increment`: `{usage | micro_credits, hold_micro_credits?}`
package struct IncrementRequest: Sendable, Hashable {
    /// The running total so far.
    package var amount: UsageAmount
    /// How large the hold shall be from now on; nil = as large as it was.
    package var holdMicroCredits: Int64?

    package init(amount: UsageAmount, holdMicroCredits: Int64? = nil) {
        self.amount = amount
        self.holdMicroCredits = holdMicroCredits
    }

    /// - Throws: `request.malformed`, `request.invalid`, and what counts of tokens are refused with.
    package static func read(_ body: JSONObject) throws(Refusal) -> IncrementRequest {
        var fields = try BodyFields(body, known: ["usage", "micro_credits", "hold_micro_credits"])
        let hold = fields.number("hold_micro_credits", 0...BodyFields.maximumAmount)
        let amount = try UsageAmount.read(&fields, needsModel: false, estimates: false)
        try fields.finish()
        return IncrementRequest(amount: amount ?? .microCredits(0), holdMicroCredits: hold)
    }
}
