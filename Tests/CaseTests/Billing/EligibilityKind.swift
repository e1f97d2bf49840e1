// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// Answers a question of an account that stands as the case says.
    @Sendable static func eligibility(_ record: CaseRecord) async throws {
        let given = record.given
        let terms = BillingTerms(catalogue: try catalogue(given["catalogue"]?.stringValue))
        let facts = try facts(try #require(given["account"]), now: try time(given["now"]), terms.catalogue)
        let question = try question(try #require(given["check"]), at: facts.now)
        let answer = Eligibility(facts, terms: terms).answer(question)
        var found = answer.json
        found["reason"] = .optional(answer.reason)
        found["http_status"] = .int(Int64(answer.refusal?.status ?? 200))
        expect(.object(found), has: record.expect, record.id)
        if answer.isAllowed {
            #expect(answer.refusal == nil)
        } else {
            #expect(answer.refusal?.code.rawValue == "billing.\(answer.reason ?? "")")
        }
    }

    /// The shipped catalogue, or the one with five tiers.
    static func catalogue(_ name: String?) throws -> PlanCatalogue {
        guard let name else { return try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML)) }
        let text = try String(
            contentsOf: Repository.root.appending(path: "plans/plans-\(name).yaml"), encoding: .utf8)
        return try PlanCatalogue.read(YAMLText.json(text))
    }

    private static func facts(
        _ account: JSONValue, now: Timestamp, _ catalogue: PlanCatalogue
    ) throws -> EligibilityFacts {
        func number(_ name: String) -> Int64 { account[name]?.intValue ?? 0 }
        let plan = try #require(catalogue.plan(account["plan"]?.stringValue ?? ""))
        let bought = account["bought_plan"]?.stringValue.flatMap { catalogue.plan($0) }
        return EligibilityFacts(
            now: now, plan: plan, limits: plan.limits, inactivePlan: bought.map { ($0, $0.limits) },
            periodEnd: try time(account["period_end"]), spendable: number("available"),
            tokensToday: number("tokens_today"), tokensHeld: number("tokens_held"),
            premiumModels: Set(account["premium_models_used"]?.arrayValue?.compactMap(\.stringValue) ?? []),
            tasks: number("tasks_used"), agents: number("agents_used"),
            budgets: try (account["budgets"]?.arrayValue ?? []).map { try budget($0, now: now) })
    }

    private static func budget(_ json: JSONValue, now: Timestamp) throws -> BudgetAccount {
        let budget = Budget(
            name: try #require(json["name"]?.stringValue),
            scope: try #require(Budget.Scope(rawValue: json["scope"]?.stringValue ?? "")),
            period: try #require(Budget.Period(rawValue: json["period"]?.stringValue ?? "")),
            hardLimitMicroUSD: json["hard_limit_micro_usd"]?.intValue,
            actionOnHard: try #require(Budget.HardAction(rawValue: json["action_on_hard"]?.stringValue ?? "")))
        var account = BudgetAccount(
            budget: budget, window: BillingPeriod(start: now, end: try time(json["window_end"])))
        account.spentMicroUSD = json["spent_micro_usd"]?.intValue ?? 0
        account.heldMicroUSD = json["held_micro_usd"]?.intValue ?? 0
        return account
    }

    private static func question(_ check: JSONValue, at now: Timestamp) throws -> EligibilityQuestion {
        switch check["action"]?.stringValue {
        case "task": return EligibilityQuestion(.task(count: check["count"]?.intValue ?? 1))
        case "tokens":
            let (prices, counts) = (try prices(), try counts(check["tokens"]))
            let name = try #require(check["model"]?.stringValue)
            let price = prices.model(name, at: now)
            let rated = try? prices.rate(counts, model: name, creditValueMicroUSD: creditValue, at: now)
            let charge = rated.map {
                Charge(
                    microCredits: $0.chargeMicroCredits, listMicroUSD: $0.listMicroUSD,
                    chargeMicroUSD: $0.chargeMicroUSD, tokens: counts.total)
            }
            let subject = ChargeSubject(
                purpose: .tokens(model: name), model: price?.model ?? name, isPremium: price?.isPremium ?? false)
            return EligibilityQuestion(
                .tokens(EligibilityQuestion.TokenUse(tier: price?.tier, subject: subject, charge: charge)))
        default:
            Issue.record("unknown action in the case")
            return EligibilityQuestion(.nothing)
        }
    }
}
