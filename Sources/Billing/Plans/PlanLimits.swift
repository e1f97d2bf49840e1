// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a plan allows, as the plan or as an account's overrides of it say. In every limit nil means no limit and 0 means none.
package struct PlanLimits: Sendable, Hashable {
    /// Places for hired agents.
    package struct AgentSlots: Sendable, Hashable {
        /// Those that the plan's price pays for.
        package var included: Int64?
        /// All that there may be.
        package var max: Int64?
        /// What one above `included` costs a period, in micro-credits.
        package var extraPrice: Int64

        package init(included: Int64?, max: Int64?, extraPrice: Int64) {
            self.included = included
            self.max = max
            self.extraPrice = extraPrice
        }
    }

    /// Granted each period, in micro-credits.
    package var creditsPerPeriod: Int64?
    /// Least and most that is carried into the next period, in micro-credits.
    package var rolloverMin: Int64?
    package var rolloverMax: Int64?
    /// How far the balance may go below zero, in micro-credits.
    package var overageCredits: Int64?
    package var agentSlots: AgentSlots
    package var tasksPerMonth: Int64?
    package var workers: Int64?
    package var workspaces: Int64?
    /// Active API keys.
    package var apiKeys: Int64?
    package var tokensPerDay: Int64?
    /// Requests of each key, and of each subject without one.
    package var rate: RequestRate
    /// The same windows over all credentials of the account; nil = none.
    package var accountRate: RequestRate?
    /// Tiers of models that may be used, in the order of the catalogue or of the override.
    package var modelTiers: [String]
    /// Different premium models in a period.
    package var premiumModels: Int64?
    package var premiumAgents: Bool
    /// Added to the price of usage; nil = the price list's own.
    package var markupPercent: MarkupPercent?

    package init(agentSlots: AgentSlots, rate: RequestRate, modelTiers: [String], premiumAgents: Bool) {
        self.agentSlots = agentSlots
        self.rate = rate
        self.modelTiers = modelTiers
        self.premiumAgents = premiumAgents
    }
}
