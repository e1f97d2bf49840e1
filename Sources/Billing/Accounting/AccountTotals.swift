// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Sums since the account was made, in micro-credits where they do not say otherwise. What was issued is what lies in grants, is held, was consumed, expired or voided, less debt.
package struct AccountTotals: Sendable, Hashable {
    package var issued: Int64 = 0
    /// Paid from credits or by debt.
    package var consumed: Int64 = 0
    package var expired: Int64 = 0
    package var voided: Int64 = 0
    /// Used and not paid.
    package var uncollected: Int64 = 0
    /// Charged while a subscription of the provider was in force, in micro-US-dollars: what its meter is told.
    package var metered: Int64 = 0
    /// The same when the present period began.
    package var meteredBefore: Int64 = 0

    package init() {}
}

/// What is counted: in the present day, in the present period, and what is taken.
package struct AccountCounters: Sendable, Hashable {
    /// A model and how many open reservations are for it.
    struct HeldModel: Sendable, Hashable {
        var model: String
        var count: Int64
    }

    /// Start of the UTC day of `tokensToday`.
    package var day = Timestamp(microseconds: 0)
    package var tokensToday: Int64 = 0
    /// What open reservations hold.
    package var tokensHeld: Int64 = 0
    package var period = PeriodCounters()
    var heldPremiumModels: [HeldModel] = []
    package var agents: Int64 = 0
    package var workers: Int64 = 0
    package var workspaces: Int64 = 0
    /// Order of the slot that was taken last.
    var lastSlot: Int64 = 0
    var firedTokens = ThresholdLevels()
    /// Whether the owner was told that nothing is left.
    var isExhaustionTold = false

    package init() {}

    /// Slots of a kind that are taken.
    package func slots(_ kind: SlotRow.Kind) -> Int64 {
        switch kind {
        case .agent: agents
        case .worker: workers
        case .workspace: workspaces
        }
    }

    mutating func addSlots(_ kind: SlotRow.Kind, _ count: Int64) {
        switch kind {
        case .agent: agents = max(0, agents + count)
        case .worker: workers = max(0, workers + count)
        case .workspace: workspaces = max(0, workspaces + count)
        }
    }

    /// Begins another day where this one is over.
    mutating func roll(to now: Timestamp) {
        let start = BillingPeriod.day(containing: now).start
        guard start > day else { return }
        day = start
        tokensToday = 0
        firedTokens = ThresholdLevels()
    }

    mutating func hold(premiumModel model: String) {
        if let index = heldPremiumModels.firstIndex(where: { $0.model == model }) {
            heldPremiumModels[index].count += 1
        } else {
            heldPremiumModels.append(HeldModel(model: model, count: 1))
        }
    }

    mutating func release(premiumModel model: String) {
        guard let index = heldPremiumModels.firstIndex(where: { $0.model == model }) else { return }
        heldPremiumModels[index].count -= 1
        if heldPremiumModels[index].count <= 0 { heldPremiumModels.remove(at: index) }
    }
}

/// What is counted in one period.
package struct PeriodCounters: Sendable, Hashable {
    package var tasks: Int64 = 0
    /// Premium models that were used.
    package var premiumModels: [String] = []
    /// Charged, in micro-credits.
    package var usedMicroCredits: Int64 = 0
    var firedCredits = ThresholdLevels()
    var firedTasks = ThresholdLevels()

    package init() {}

    mutating func use(premiumModel model: String) {
        if !premiumModels.contains(model) { premiumModels.append(model) }
    }
}
