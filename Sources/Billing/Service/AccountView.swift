// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An account as its owner, the status of its object and the snapshot of the pipeline see it.
package struct AccountView: Sendable {
    package let account: String
    package let standing: Standing
    package let book: AccountBook
    package let asOf: Timestamp

    init(_ work: AccountWork) {
        account = work.book.account
        standing = work.standing
        book = work.book
        asOf = work.now
    }

    /// What the present period's pool has granted, in micro-credits.
    package var grantedMicroCredits: Int64 {
        book.pools.first { $0.origin == standing.origin && $0.period.start <= asOf }?.granted ?? 0
    }

    /// Credits that may be spent now, in micro-credits, without room for debt.
    package var availableMicroCredits: Int64 { book.available(for: nil, standing: standing) }

    /// What may be spent now, room for debt included, in micro-credits.
    package var spendableMicroCredits: Int64 { book.spendable(for: nil, standing: standing) }

    package var isOverLimit: Bool { book.isOverLimit(standing) }

    /// `{granted_micro_credits, used_micro_credits, held_micro_credits, remaining_micro_credits}`
    package var credits: JSONValue {
        [
            "granted_micro_credits": .int(grantedMicroCredits),
            "used_micro_credits": .int(book.counters.period.usedMicroCredits), "held_micro_credits": .int(book.held),
            "remaining_micro_credits": .int(availableMicroCredits), "debt_micro_credits": .int(book.debt),
        ]
    }

    /// The answer of `GET /v1/billing/subscription`.
    package var subscription: JSONValue {
        [
            "account": .string(account), "plan": .string(standing.plan.name),
            "status": .string(standing.state.rawValue),
            "current_period_start": .string(standing.period.start.rfc3339),
            "current_period_end": .string(standing.period.end.rfc3339),
            "cancel_at_period_end": .bool(standing.cancelsAtPeriodEnd),
            "bought_plan": .optional(standing.boughtPlan?.name ?? book.provider?.boughtPlan),
            "source": .string(standing.source.rawValue), "past_due_since": .optional(standing.pastDueSince?.rfc3339),
            "grace_ends_at": .optional(standing.graceEndsAt?.rfc3339), "suspended": .bool(standing.isSuspended),
            "credits": credits,
            "slots": [
                "agents": slots(.agent), "workers": slots(.worker), "workspaces": slots(.workspace),
            ],
        ]
    }

    private func slots(_ kind: SlotRow.Kind) -> JSONValue {
        ["used": .int(book.counters.slots(kind)), "limit": .int(standing.limits.slots(kind) ?? -1)]
    }

    /// The answer of `GET /v1/billing/usage`.
    package var usage: JSONValue {
        let (counters, limits) = (book.counters, standing.limits)
        return [
            "tasks_used": .int(counters.period.tasks), "tasks_limit": .int(limits.tasksPerMonth ?? -1),
            "workers_used": .int(counters.workers), "workers_limit": .int(limits.workers ?? -1),
            "workspaces_used": .int(counters.workspaces), "workspaces_limit": .int(limits.workspaces ?? -1),
            "codebases_used": .int(counters.workspaces), "codebases_limit": .int(limits.workspaces ?? -1),
            "agents_used": .int(counters.agents), "agents_limit": .int(limits.agentSlots.max ?? -1),
            "tokens_today": .int(counters.tokensToday), "tokens_daily_limit": .int(limits.tokensPerDay ?? -1),
            "premium_models_used": .strings(counters.period.premiumModels),
            "premium_models_limit": .int(limits.premiumModels ?? -1),
            "period_start": .string(standing.period.start.rfc3339),
            "period_end": .string(standing.period.end.rfc3339), "credits": credits,
        ]
    }
}
