// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BudgetAccount {
    /// `{name, scope, match, period, soft_limit_micro_usd, hard_limit_micro_usd, action_on_soft, action_on_hard, spent_micro_usd, …}`
    package var json: JSONValue {
        [
            "name": .string(budget.name), "scope": .string(budget.scope.rawValue),
            "match": .optional(budget.match.isEmpty ? nil : budget.match), "period": .string(budget.period.rawValue),
            "soft_limit_micro_usd": budget.softLimitMicroUSD.map(JSONValue.int) ?? .null,
            "hard_limit_micro_usd": budget.hardLimitMicroUSD.map(JSONValue.int) ?? .null,
            "action_on_soft": .string(budget.actionOnSoft.rawValue),
            "action_on_hard": .string(budget.actionOnHard.rawValue), "webhook_url": .optional(budget.webhookURL),
            "spent_micro_usd": .int(spentMicroUSD), "held_micro_usd": .int(heldMicroUSD),
            "remaining_micro_usd": roomMicroUSD.map(JSONValue.int) ?? .null,
            "window_start": .string(window.start.rfc3339), "window_end": .string(window.end.rfc3339),
            "of_object": .bool(budget.isOfObject),
        ]
    }
}

extension Budget {
    /// Takes what a body asks for.
    package init(_ request: BudgetRequest) {
        self.init(
            name: request.name, scope: request.scope, match: request.match ?? "", period: request.period,
            softLimitMicroUSD: request.softLimitMicroUSD, hardLimitMicroUSD: request.hardLimitMicroUSD,
            actionOnSoft: request.actionOnSoft, actionOnHard: request.actionOnHard, webhookURL: request.webhookURL)
    }
}

/// A budget that was put.
package struct BudgetAnswer: Sendable {
    package var account: BudgetAccount
    /// The new secret that signs what its own address is sent; nil where there is no address, or its secret is told already.
    package var secret: WebhookSecret?

    package var json: JSONValue { account.json }

    /// The same with the new secret, `webhook_secret`: for this answer, and for no other.
    package var shownOnce: JSONValue {
        guard let secret, var object = json.objectValue else { return json }
        object["webhook_secret"] = .string(secret.text.revealed)
        return .object(object)
    }
}

extension BillingService {
    /// Every budget and what was spent in its window.
    package func budgets(_ account: String) async throws(Refusal) -> [BudgetAccount] {
        try await look(account) { work, _ in work.book.budgets }
    }

    /// One budget.
    ///
    /// - Throws: `billing.not_found`.
    package func budget(_ name: String, account: String) async throws(Refusal) -> BudgetAccount {
        guard let found = try await budgets(account).first(where: { $0.budget.name == name }) else {
            throw Refusal(.billingNotFound)
        }
        return found
    }

    /// Adds a budget, or changes one that is there.
    ///
    /// What its own address is sent is signed with a secret of its own, which this answer tells where the address is new.
    ///
    /// - Parameters:
    ///   - isNew: whether it must not be there, as with `POST`.
    ///   - random: makes that secret.
    /// - Throws: `request.invalid` where the name is taken, the object has it, or there are too many; `billing.not_found`.
    package func put(
        _ budget: Budget, isNew: Bool, account: String, actor: String, random: any RandomSource = SystemRandomSource()
    ) async throws(Refusal) -> BudgetAnswer {
        try await change(account, actor: actor) { work, transaction in
            let known = work.book.budgets.first { $0.budget.name == budget.name }
            if isNew, known != nil {
                throw Refusal(.requestInvalid, message: "A budget has this name", details: ["field": "name"])
            }
            guard isNew || known != nil else { throw Refusal(.billingNotFound) }
            try Self.checkOwner(known)
            try work.book.put(budget, into: &work.changes)
            guard let stored = work.book.budgets.first(where: { $0.budget.name == budget.name }) else {
                throw Refusal(.billingNotFound)
            }
            var answer = BudgetAnswer(account: stored)
            if let url = budget.webhookURL {
                let put = try BudgetReceiver.put(
                    budget.name, url: url, enables: true, at: work.now, random: random, in: transaction)
                if put.isNew { answer.secret = put.endpoint.signing(at: work.now).first }
            } else {
                try BudgetReceiver.remove(budget.name, in: transaction)
            }
            return answer
        }
    }

    /// Takes a budget away.
    ///
    /// - Throws: `billing.not_found`; `request.invalid` where the object has it.
    package func removeBudget(_ name: String, account: String, actor: String) async throws(Refusal) {
        try await change(account, actor: actor) { work, transaction in
            try Self.checkOwner(work.book.budgets.first { $0.budget.name == name })
            guard work.book.removeBudget(name, into: &work.changes) else { throw Refusal(.billingNotFound) }
            try BudgetReceiver.remove(name, in: transaction)
        }
    }

    private static func checkOwner(_ known: BudgetAccount?) throws(Refusal) {
        guard known?.budget.isOfObject == true else { return }
        throw Refusal(
            .requestInvalid, message: "The budget stands in the Subscription object: change it there",
            details: ["field": "name"])
    }
}
