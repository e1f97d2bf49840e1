// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One recorded use: what is kept of an event for ever, or for as long as history is kept.
package struct UsageRow: Sendable, Hashable {
    /// `tokens`, `agent`, `task`, or `charge` for a price that was named.
    package var kind: String
    /// Of the sender; with `id` unique within the dedup window.
    package var source: String
    package var id: String
    /// SHA-256 of the content, hex: tells a repeat from another event of the same id.
    package var digest: String
    /// When it was used.
    package var at: Timestamp
    /// When it was taken.
    package var receivedAt: Timestamp
    package var dimensions: UsageDimensions
    package var amounts: UsageAmounts
    /// What could not be collected, in micro-credits.
    package var uncollectedMicroCredits: Int64
    /// The price stands in for an unknown model's.
    package var isQuarantined: Bool
    package var priceVersion: String?
    package var reservation: String?
    package var session: String?
    package var task: String?

    package init(
        kind: String, source: String, id: String, digest: String, at: Timestamp, receivedAt: Timestamp,
        dimensions: UsageDimensions, amounts: UsageAmounts, uncollectedMicroCredits: Int64 = 0,
        isQuarantined: Bool = false, priceVersion: String? = nil, reservation: String? = nil, session: String? = nil,
        task: String? = nil
    ) {
        self.kind = kind
        self.source = source
        self.id = id
        self.digest = digest
        self.at = at
        self.receivedAt = receivedAt
        self.dimensions = dimensions
        self.amounts = amounts
        self.uncollectedMicroCredits = uncollectedMicroCredits
        self.isQuarantined = isQuarantined
        self.priceVersion = priceVersion
        self.reservation = reservation
        self.session = session
        self.task = task
    }
}

/// By what usage is counted. An empty text means that the event did not say.
package struct UsageDimensions: Sendable, Hashable {
    package var model: String
    package var agent: String
    package var user: String
    package var project: String

    package init(model: String = "", agent: String = "", user: String = "", project: String = "") {
        self.model = model
        self.agent = agent
        self.user = user
        self.project = project
    }
}

/// What was used and what it costs. All counts add up.
package struct UsageAmounts: Sendable, Hashable {
    package var requests: Int64 = 0
    package var input: Int64 = 0
    package var output: Int64 = 0
    package var cacheRead: Int64 = 0
    package var cacheWrite: Int64 = 0
    package var reasoning: Int64 = 0
    package var agentCalls: Int64 = 0
    package var agentSeconds: Int64 = 0
    package var tasks: Int64 = 0
    package var listMicroUSD: Int64 = 0
    package var chargeMicroUSD: Int64 = 0
    package var chargeMicroCredits: Int64 = 0

    package init() {}

    /// Every class of tokens together.
    package var tokens: Int64 { input + output + cacheRead + cacheWrite + reasoning }

    /// Adds, saturating.
    package mutating func add(_ other: UsageAmounts) {
        requests = requests.addingSaturated(other.requests)
        input = input.addingSaturated(other.input)
        output = output.addingSaturated(other.output)
        cacheRead = cacheRead.addingSaturated(other.cacheRead)
        cacheWrite = cacheWrite.addingSaturated(other.cacheWrite)
        reasoning = reasoning.addingSaturated(other.reasoning)
        agentCalls = agentCalls.addingSaturated(other.agentCalls)
        agentSeconds = agentSeconds.addingSaturated(other.agentSeconds)
        tasks = tasks.addingSaturated(other.tasks)
        listMicroUSD = listMicroUSD.addingSaturated(other.listMicroUSD)
        chargeMicroUSD = chargeMicroUSD.addingSaturated(other.chargeMicroUSD)
        chargeMicroCredits = chargeMicroCredits.addingSaturated(other.chargeMicroCredits)
    }
}

/// What a window gains.
package struct UsageWindowDelta: Sendable, Hashable {
    /// How long a window is.
    package enum Granularity: String, Sendable, CaseIterable {
        case hour, day, week, month
    }

    package var granularity: Granularity
    /// Start of the window, UTC.
    package var start: Timestamp
    package var dimensions: UsageDimensions
    package var amounts: UsageAmounts

    package init(
        granularity: Granularity, start: Timestamp, dimensions: UsageDimensions, amounts: UsageAmounts
    ) {
        self.granularity = granularity
        self.start = start
        self.dimensions = dimensions
        self.amounts = amounts
    }
}
