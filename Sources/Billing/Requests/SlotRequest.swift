// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `POST /v1/billing/slots`: `{account?, kind: agent|worker|workspace, id, premium?}`
package struct SlotRequest: Sendable, Hashable {
    /// Nil = the caller's tenant.
    package var account: String?
    package var kind: SlotRow.Kind
    package var id: String
    /// Of agents.
    package var isPremium: Bool

    package init(account: String? = nil, kind: SlotRow.Kind, id: String, isPremium: Bool = false) {
        self.account = account
        self.kind = kind
        self.id = id
        self.isPremium = isPremium
    }

    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ body: JSONObject) throws(Refusal) -> SlotRequest {
        var fields = try BodyFields(body, known: ["account", "kind", "id", "premium"])
        if !fields.has("kind") { fields.fault("kind", "required") }
        let kind = fields.choice("kind", SlotRow.Kind.self)
        let id = fields.requiredText("id")
        fields.mustFitIntoPath("id", id)
        let premium = fields.flag("premium") ?? false
        if premium, let kind, kind != .agent { fields.fault("premium", "of agents only") }
        let account = fields.text("account")
        try fields.finish()
        return SlotRequest(account: account, kind: kind ?? .agent, id: id, isPremium: premium)
    }
}
