// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a request costs its account and what the account's plan must include: `spec.metering` of an AuthConfig, or that of one of its
/// routes. Immutable, one reference to pass on; there is none where nothing is asked.
package final class CompiledMetering: Sendable {
    /// What is asked and reserved.
    package enum Action: String, Sendable, CaseIterable {
        case none, task, tokens
        case agentHire = "agent.hire"
        case slot
    }

    /// A kind of place.
    package enum Slot: String, Sendable, CaseIterable {
        case worker, workspace
    }

    /// What the account's plan must include.
    package struct Requirements: Sendable, Hashable {
        /// The plan in force must be worth at least this one.
        package var plan: String?
        package var modelTier: String?
        package var premiumAgents: Bool

        package init(plan: String? = nil, modelTier: String? = nil, premiumAgents: Bool = false) {
            self.plan = plan
            self.modelTier = modelTier
            self.premiumAgents = premiumAgents
        }

        /// Whether every plan will do.
        package var isEmpty: Bool { plan == nil && modelTier == nil && !premiumAgents }
    }

    package let action: Action
    /// The model of action `tokens`.
    package let model: String?
    /// The kind of place of action `slot`.
    package let slot: Slot?
    package let requirements: Requirements
    /// What action `tokens` reserves.
    package let estimate: TokenEstimate
    /// Charged at the decision.
    package let microCreditsPerRequest: Int64

    /// - Returns: nil where nothing is asked and nothing is charged.
    package init?(
        action: Action, model: String? = nil, slot: Slot? = nil, requirements: Requirements = Requirements(),
        estimate: TokenEstimate = TokenEstimate(), microCreditsPerRequest: Int64 = 0
    ) {
        guard action != .none || microCreditsPerRequest > 0 || !requirements.isEmpty else { return nil }
        self.action = action
        self.model = model
        self.slot = slot
        self.requirements = requirements
        self.estimate = estimate
        self.microCreditsPerRequest = microCreditsPerRequest
    }
}

/// How many tokens a model call may take. Counts are not below 0.
package struct TokenEstimate: Sendable, Hashable {
    package var input: Int64
    /// Of both kinds of output; what it costs is the dearer of them.
    package var maxOutput: Int64
    /// Output that is known.
    package var output: Int64
    package var cacheRead: Int64
    package var cacheWrite: Int64
    package var reasoning: Int64

    package init(
        input: Int64 = 0, maxOutput: Int64 = 0, output: Int64 = 0, cacheRead: Int64 = 0, cacheWrite: Int64 = 0,
        reasoning: Int64 = 0
    ) {
        self.input = input
        self.maxOutput = maxOutput
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite = cacheWrite
        self.reasoning = reasoning
    }
}
