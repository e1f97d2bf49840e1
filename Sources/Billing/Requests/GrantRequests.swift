// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `POST /v1/billing/grants`: `{account, key, micro_credits, source?, priority?, effective_at?, expires_at?, reason, features?}`
package struct GrantRequest: Sendable, Hashable {
    /// Where granted credits come from, of those that a person may name.
    package enum Source: String, Sendable, CaseIterable {
        case promotion, admin, purchase
    }

    package var account: String
    /// Unique within the account.
    package var key: String
    /// At least 1, at most 10¹⁵.
    package var microCredits: Int64
    package var source: Source
    /// Smaller is spent first; nil = that of the source.
    package var priority: Int64?
    /// Nil = now.
    package var effectiveAt: Timestamp?
    /// Nil = never.
    package var expiresAt: Timestamp?
    package var reason: String
    /// What it pays for: `tokens`, `agents` or ids of models; nil = everything.
    package var features: [String]?

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> GrantRequest {
        var fields = try BodyFields(
            body,
            known: [
                "account", "key", "micro_credits", "source", "priority", "effective_at", "expires_at", "reason",
                "features",
            ])
        let request = GrantRequest(
            account: fields.requiredText("account"), key: fields.requiredText("key"),
            microCredits: fields.requiredNumber("micro_credits", 1...BodyFields.maximumAmount),
            source: fields.choice("source", Source.self) ?? .admin, priority: fields.number("priority", 1...255),
            effectiveAt: fields.instant("effective_at"), expiresAt: fields.instant("expires_at"),
            reason: fields.requiredText("reason"), features: fields.texts("features", atMost: 64))
        fields.mustFitIntoPath("key", request.key)
        if let from = request.effectiveAt, let to = request.expiresAt, to <= from {
            fields.fault("expires_at", "not after effective_at")
        }
        try fields.finish()
        return request
    }
}

/// `POST /v1/billing/grants/{id}/void`: `{account?, reason}`
package struct VoidRequest: Sendable, Hashable {
    /// Nil = the caller's tenant.
    package var account: String?
    package var reason: String

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> VoidRequest {
        var fields = try BodyFields(body, known: ["account", "reason"])
        let request = VoidRequest(account: fields.text("account"), reason: fields.requiredText("reason"))
        try fields.finish()
        return request
    }
}

/// `POST /v1/billing/prices/rerate`: `{model, account?, reason, cursor?}`
package struct RerateRequest: Sendable, Hashable {
    /// The model that had no price.
    package var model: String
    /// Nil = every account.
    package var account: String?
    package var reason: String
    /// Where the call before stopped; nil = from the beginning.
    package var cursor: RerateCursor?

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> RerateRequest {
        var fields = try BodyFields(body, known: ["model", "account", "reason", "cursor"])
        var request = RerateRequest(
            model: fields.requiredText("model"), account: fields.text("account"),
            reason: fields.requiredText("reason"))
        if let text = fields.text("cursor", atMost: 4096) {
            request.cursor = RerateCursor(text: text)
            let isOfAnother = request.account.map { request.cursor?.account != $0 } ?? false
            if request.cursor == nil || isOfAnother { fields.fault("cursor", "not a cursor of this call") }
        }
        try fields.finish()
        return request
    }
}
