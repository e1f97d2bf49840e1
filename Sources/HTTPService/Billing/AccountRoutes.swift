// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// How an account stands: subscription, use of its limits, credits and ledger; what it may do; for the platform every account.
struct AccountRoutes: Sendable {
    let services: BillingServices

    var routes: [OwnRoute] {
        let billing = services.billing
        return [
            OwnRoute("GET", "/v1/billing/subscription", .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .object(try await billing.view(account).subscription)
            },
            OwnRoute("GET", "/v1/billing/usage", .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .object(try await billing.view(account).usage)
            },
            OwnRoute("POST", "/v1/billing/eligibility", .read) { call throws(Refusal) in
                let request = try EligibilityRequest.read(call.body)
                let account: String
                do throws(Refusal) {
                    account = try call.writtenAccount(request.account)
                } catch {
                    // That there is no account is an answer too.
                    guard error.code == .billingAccountNotFound else { throw error }
                    return .json(EligibilityAnswer(code: error.code).json)
                }
                return .json(try await billing.eligibility(request, account: account).json)
            },
            OwnRoute("GET", "/v1/billing/credits", .read) { call throws(Refusal) in try await credits(call) },
            OwnRoute("GET", "/v1/billing/ledger", .read) { call throws(Refusal) in try await ledger(call) },
            OwnRoute("GET", "/v1/billing/accounts", .read) { call throws(Refusal) in try await accounts(call) },
            OwnRoute("GET", "/v1/billing/accounts/{id}", .read) { call throws(Refusal) in
                try call.requirePlatformAdmin()
                _ = try call.query.object(known: [])
                let account = try call.account(named: call.captures[0])
                let isStored = try await services.rows(account) { try $0.accountVersion() > 0 }
                guard isStored else { throw Refusal(.billingAccountNotFound) }
                let view = try await billing.view(account)
                var shown = view.subscription.objectValue ?? JSONObject()
                shown["provider_synced"] = .bool(view.isProviderSynced(terms: billing.terms))
                shown["meter_report"] = try await billing.meterDesk(account)?.shown ?? .null
                shown["usage_set_aside"] = .array(try await billing.usageSetAside(of: account, limit: 100))
                return .json(shown)
            },
        ]
    }

    /// Balance, what is held and a page of the grants, the newest first.
    private func credits(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (query, account) = try call.billingQuery("limit", "cursor")
        let (view, grants) = try await services.billing.credits(account, try PageQuery.read(query))
        return .json([
            "account": .string(account), "balance_micro_credits": .int(view.book.balance),
            "available_micro_credits": .int(view.availableMicroCredits),
            "spendable_micro_credits": .int(view.spendableMicroCredits), "held_micro_credits": .int(view.book.held),
            "debt_micro_credits": .int(view.book.debt),
            "grants": .array(grants.elements.map { .object($0.json) }), "next_cursor": .optional(grants.next),
        ])
    }

    /// A page of the entries, the newest first.
    private func ledger(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (query, account) = try call.billingQuery("limit", "cursor")
        let page = try await services.billing.ledger(account, try PageQuery.read(query))
        return .json([
            "account": .string(account), "entries": .array(page.elements.map(\.json)),
            "next_cursor": .optional(page.next),
        ])
    }

    /// A page of all accounts, in the order of their ids, with amounts as the last operation of each left them.
    private func accounts(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.requirePlatformAdmin()
        let query = try call.query.object(known: ["limit", "cursor"])
        let page = try await services.billing.accounts(try PageQuery.read(query))
        let (now, terms) = (services.clock.now(), services.billing.terms)
        let accounts = page.elements.map { $0.shown(at: now, terms: terms) }
        return .json(["accounts": .array(accounts), "next_cursor": .optional(page.next)])
    }
}

extension AccountBook {
    /// `{account, plan, status, source, bought_plan, suspended, current_period_start, current_period_end, balance_micro_credits, …}`
    fileprivate func shown(at now: Timestamp, terms: BillingTerms) -> JSONValue {
        let standing = standing(at: now, terms: terms)
        return [
            "account": .string(account), "plan": .string(standing.plan.name),
            "status": .string(standing.state.rawValue), "source": .string(standing.source.rawValue),
            "bought_plan": .optional(standing.boughtPlan?.name), "suspended": .bool(standing.isSuspended),
            "current_period_start": .string(standing.period.start.rfc3339),
            "current_period_end": .string(standing.period.end.rfc3339), "balance_micro_credits": .int(balance),
            "held_micro_credits": .int(held), "debt_micro_credits": .int(debt),
            "created_at": .string(createdAt.rfc3339),
        ]
    }
}
