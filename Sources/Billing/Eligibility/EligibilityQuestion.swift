// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What somebody wants to do.
package struct EligibilityQuestion: Sendable, Hashable {
    /// What a route asks of the account before anything else.
    package struct Requirements: Sendable, Hashable {
        /// The plan in force must rank at least as high as this one.
        package var plan: String?
        /// The plan in force must have this tier.
        package var modelTier: String?
        package var premiumAgents: Bool

        package init(plan: String? = nil, modelTier: String? = nil, premiumAgents: Bool = false) {
            self.plan = plan
            self.modelTier = modelTier
            self.premiumAgents = premiumAgents
        }
    }

    /// What is wanted.
    package enum Action: Sendable, Hashable {
        case tokens(TokenUse)
        /// An agent; hired already where `isHired`.
        case hire(isPremium: Bool, isHired: Bool)
        case task(count: Int64)
        /// A worker or workspace; taken already where `isTaken`, which is the same slot again.
        case slot(SlotRow.Kind, isTaken: Bool)
        /// Only the requirements.
        case nothing
    }

    /// Use of a model, or credits that somebody else has priced.
    package struct TokenUse: Sendable, Hashable {
        /// Tier of the model; nil where none is known, as for a price that stands in or for bare credits.
        package var tier: String?
        package var subject: ChargeSubject
        /// What it costs; nil where the model has no price.
        package var charge: Charge?
        /// Name of the model as it was asked for, for the message.
        package var modelName: String

        package init(tier: String? = nil, subject: ChargeSubject, charge: Charge?, modelName: String = "") {
            self.tier = tier
            self.subject = subject
            self.charge = charge
            self.modelName = modelName
        }
    }

    package var action: Action
    package var requirements: Requirements

    package init(_ action: Action, requirements: Requirements = Requirements()) {
        self.action = action
        self.requirements = requirements
    }
}
