// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A budget as `POST` and `PUT /v1/billing/budgets` bring it: `{name, scope, match?, period, soft_limit_micro_usd?, hard_limit_micro_usd?,
/// action_on_soft?, action_on_hard?, webhook_url?}`
package struct BudgetRequest: Sendable, Hashable {
    /// 1 to 100 characters; unique within the account.
    package var name: String
    package var scope: Budget.Scope
    /// Which user, model or project; nil with the scope `tenant`.
    package var match: String?
    package var period: Budget.Period
    /// Nil = no limit.
    package var softLimitMicroUSD: Int64?
    package var hardLimitMicroUSD: Int64?
    package var actionOnSoft: Budget.SoftAction
    package var actionOnHard: Budget.HardAction
    package var webhookURL: String?

    /// - Parameter path: the name in the address of a `PUT`; the body may leave it out and must not say another.
    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject, name path: String? = nil) throws(Refusal) -> BudgetRequest {
        var fields = try BodyFields(
            body,
            known: [
                "name", "scope", "match", "period", "soft_limit_micro_usd", "hard_limit_micro_usd", "action_on_soft",
                "action_on_hard", "webhook_url",
            ])
        var name = path ?? ""
        if path == nil || fields.has("name") { name = fields.requiredText("name", atMost: 400) }
        fields.mustFitIntoPath("name", name)
        if name.unicodeScalars.count > 100 { fields.fault("name", "longer than 100 characters") }
        if let path, name != path, !name.isEmpty { fields.fault("name", "not the name in the path") }
        for required in ["scope", "period"] where !fields.has(required) { fields.fault(required, "required") }
        let scope = fields.choice("scope", Budget.Scope.self)
        let match = fields.text("match")
        if let scope, (scope == .tenant) == fields.has("match") {
            fields.fault("match", scope == .tenant ? "not with the scope tenant" : "required with this scope")
        }
        let period = fields.choice("period", Budget.Period.self)
        let soft = fields.number("soft_limit_micro_usd", 0...BodyFields.maximumAmount)
        let hard = fields.number("hard_limit_micro_usd", 0...BodyFields.maximumAmount)
        if let soft, let hard, soft > hard { fields.fault("soft_limit_micro_usd", "above hard_limit_micro_usd") }
        let onSoft = fields.choice("action_on_soft", Budget.SoftAction.self)
        let onHard = fields.choice("action_on_hard", Budget.HardAction.self)
        let webhook = fields.address("webhook_url")
        try fields.finish()
        return BudgetRequest(
            name: name, scope: scope ?? .tenant, match: match, period: period ?? .monthly, softLimitMicroUSD: soft,
            hardLimitMicroUSD: hard, actionOnSoft: onSoft ?? .alert, actionOnHard: onHard ?? .block,
            webhookURL: webhook)
    }
}
