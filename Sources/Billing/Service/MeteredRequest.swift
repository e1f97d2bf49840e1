// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A request that is about to be let through, as its account meets it.
package struct MeteredRequest: Sendable, Hashable {
    /// Of the request: the same key is metered once. At most 100 bytes.
    package var key: String
    /// Tokens are held, tasks counted, places looked at; nil = only the fee.
    package var action: EligibilityRequest.Action?
    package var requirements: EligibilityQuestion.Requirements
    /// Charged at once, in micro-credits; not below 0.
    package var feeMicroCredits: Int64
    package var user: String?
    package var project: String?
    package var agent: String?

    package init(
        key: String, action: EligibilityRequest.Action?,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements(), feeMicroCredits: Int64 = 0,
        user: String? = nil, project: String? = nil, agent: String? = nil
    ) {
        self.key = key
        self.action = action
        self.requirements = requirements
        self.feeMicroCredits = feeMicroCredits
        self.user = user
        self.project = project
        self.agent = agent
    }

    /// Of everything that decides what is taken.
    var digest: String {
        UsageDigest.of(
            type: "decision", account: "", time: nil,
            data: [
                "action": action?.json ?? .null, "fee": .int(feeMicroCredits), "user": .optional(user),
                "project": .optional(project), "agent": .optional(agent),
            ])
    }
}

extension EligibilityRequest.Action {
    /// All that it says.
    fileprivate var json: JSONValue {
        switch self {
        case .tokens(let amount): ["tokens": amount.json]
        case .hireAgent(let id, let isPremium): ["agent": .string(id), "premium": .bool(isPremium)]
        case .task(let count): ["tasks": .int(count)]
        case .slot(let kind, let id): ["slot": .string(kind.rawValue), "id": .optional(id)]
        }
    }
}

/// What a request was granted. Amounts are micro-credits.
package struct MeteredAnswer: Sendable, Hashable {
    /// Name of the plan in force.
    package var plan: String
    /// What may be spent after it; below 0 = debt.
    package var remaining: Int64
    /// The estimate, the fee, and the price of an extra place.
    package var needed: Int64
    /// What is held; nil where nothing is.
    package var reservation: Reservation?
    /// Charged at once.
    package var charged: Int64
    package var countedTasks: Int64
}
