// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Limits on spending that an account's owner sets.
struct BudgetRoutes: Sendable {
    let services: BillingServices

    private static let base = "/v1/billing/budgets"
    private static let secretMembers = ["webhook_secret"]

    var routes: [OwnRoute] {
        let billing = services.billing
        let item = Self.base + "/{name}"
        return [
            OwnRoute("GET", Self.base, .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .json(["budgets": .array(try await billing.budgets(account).map(\.json))])
            },
            OwnRoute("GET", item, .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .object(try await billing.budget(call.captures[0], account: account).json)
            },
            OwnRoute("POST", Self.base, .write) { call throws(Refusal) in
                let request = try BudgetRequest.read(call.body)
                let account = try call.writtenAccount()
                try checkAddress(of: request)
                let made = try await billing.put(
                    Budget(request), isNew: true, account: account, actor: call.actor)
                var answer = OwnAnswer.object(made.shownOnce, status: 201)
                answer.secretMembers = Self.secretMembers
                answer.note(account: account, resource: request.name, after: made.json)
                return answer
            },
            OwnRoute("PUT", item, .write) { call throws(Refusal) in
                let name = call.captures[0]
                let request = try BudgetRequest.read(call.body, name: name)
                let account = try call.writtenAccount()
                try checkAddress(of: request)
                let before = try await billing.budget(name, account: account)
                let after = try await billing.put(
                    Budget(request), isNew: false, account: account, actor: call.actor)
                var answer = OwnAnswer.object(after.shownOnce)
                answer.secretMembers = Self.secretMembers
                answer.note(account: account, resource: name, before: before.json, after: after.json)
                return answer
            },
            OwnRoute("DELETE", item, .write) { call throws(Refusal) in
                try call.takesNoBody()
                let (name, account) = (call.captures[0], try call.writtenAccount())
                let before = try await billing.budget(name, account: account)
                try await billing.removeBudget(name, account: account, actor: call.actor)
                var answer = OwnAnswer.noContent
                answer.note(account: account, resource: name, before: before.json)
                return answer
            },
        ]
    }

    /// Only what may be called is kept; it is checked again before each call.
    private func checkAddress(of request: BudgetRequest) throws(Refusal) {
        guard let url = request.webhookURL else { return }
        try services.endpoints.check(url, field: "webhook_url")
    }
}
