// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `POST /v1/billing/eligibility`: `{account?, action, …}`
package struct EligibilityRequest: Sendable, Hashable {
    /// What somebody wants to do.
    package enum Action: Sendable, Hashable {
        /// Use tokens of a model, or spend an amount.
        case tokens(UsageAmount)
        /// Hire an agent.
        case hireAgent(id: String, isPremium: Bool)
        /// Begin so many tasks.
        case task(count: Int64)
        /// Take a worker or a workspace.
        case slot(SlotRow.Kind, id: String?)
    }

    private enum ActionName: String, CaseIterable {
        case tokens
        case hireAgent = "agent.hire"
        case task, slot
    }

    /// Nil = the caller's tenant.
    package var account: String?
    package var action: Action
    package var user: String?
    package var project: String?

    package init(account: String? = nil, action: Action, user: String? = nil, project: String? = nil) {
        self.account = account
        self.action = action
        self.user = user
        self.project = project
    }

    /// For tokens `{model, provider?, tokens | usage | micro_credits, user?, project?}`, for agents `{agent, premium?}`, for tasks
    /// `{count?}`, for slots `{kind, id?}`.
    ///
    /// - Throws: `request.malformed`, `request.invalid`, and what counts of tokens are refused with.
    package static func read(_ body: JSONObject) throws(Refusal) -> EligibilityRequest {
        let shared: Set<String> = ["account", "action", "user", "project"]
        guard let text = body["action"]?.stringValue, let name = ActionName(rawValue: text) else {
            var fields = try BodyFields(body, known: Set(body.names))
            let words = ActionName.allCases.map(\.rawValue).joined(separator: ", ")
            fields.fault("action", fields.has("action") ? "not one of \(words)" : "required")
            try fields.finish()
            throw Refusal(.requestInvalid)
        }
        var fields: BodyFields
        var action: Action?
        switch name {
        case .tokens:
            fields = try BodyFields(
                body, known: shared.union(["model", "provider", "tokens", "usage", "micro_credits"]))
            action = try tokens(&fields).map(Action.tokens)
        case .hireAgent:
            fields = try BodyFields(body, known: shared.union(["agent", "premium"]))
            action = .hireAgent(id: fields.requiredText("agent"), isPremium: fields.flag("premium") ?? false)
        case .task:
            fields = try BodyFields(body, known: shared.union(["count"]))
            action = .task(count: fields.number("count", 1...TokenCounts.maximum) ?? 1)
        case .slot:
            fields = try BodyFields(body, known: shared.union(["kind", "id"]))
            if !fields.has("kind") { fields.fault("kind", "required") }
            let kind = fields.choice("kind", SlotRow.Kind.self)
            if kind == .agent { fields.fault("kind", "not one of worker, workspace: agents are agent.hire") }
            action = .slot(kind ?? .worker, id: fields.text("id"))
        }
        let (account, user, project) = (fields.text("account"), fields.text("user"), fields.text("project"))
        try fields.finish()
        return EligibilityRequest(account: account, action: action ?? .task(count: 1), user: user, project: project)
    }

    /// Counts stand in `usage` with the model, or in `tokens` beside it.
    private static func tokens(_ fields: inout BodyFields) throws(Refusal) -> UsageAmount? {
        guard let tokens = fields.inner("tokens") else {
            if fields.has("tokens") { return nil }
            for name in ["model", "provider"] where fields.has(name) && fields.has("usage") {
                fields.fault(name, "not together with usage, which names it")
            }
            return try UsageAmount.read(&fields, needsModel: true, estimates: true)
        }
        for name in ["usage", "micro_credits"] where fields.has(name) {
            fields.fault(name, "not together with tokens")
        }
        let model = fields.requiredText("model")
        let provider = fields.text("provider")
        for name in ["model", "provider"] where tokens[name] != nil {
            fields.fault("tokens.\(name)", "beside tokens, not in it")
        }
        var amount = try UsageAmount.tokens(
            tokens, needsModel: false, estimates: true, path: "tokens.", &fields)
        amount.model = model
        amount.provider = provider
        return .tokens(amount)
    }
}
