// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One use that was reported and checked, and is not rated yet.
package struct UsageEvent: Sendable, Hashable {
    /// What was used.
    package enum Content: Sendable, Hashable {
        /// Tokens of a model as it was named.
        case tokens(TokenCounts, model: String, provider: String?)
        /// Calls and run time of an agent.
        case agent(String, calls: Int64, seconds: Int64)
        /// Tasks that were begun.
        case tasks(Int64)

        /// As records name it: `tokens`, `agent`, `task`.
        package var kind: String {
            switch self {
            case .tokens: "tokens"
            case .agent: "agent"
            case .tasks: "task"
            }
        }
    }

    /// Of the sender; with `id` unique within the dedup window.
    package var source: String
    package var id: String
    /// SHA-256 of the content, hex: the same for a repeat, however it is written.
    package var digest: String
    package var account: String
    /// When it was used.
    package var at: Timestamp
    package var content: Content
    package var agent: String?
    package var user: String?
    package var project: String?
    package var session: String?
    package var task: String?
    /// The reservation that this event commits.
    package var reservation: String?
    /// Who reported it; nil = the product itself. No part of the content.
    package var actor: String?

    package init(
        source: String, id: String, digest: String, account: String, at: Timestamp, content: Content,
        agent: String? = nil, user: String? = nil, project: String? = nil, session: String? = nil,
        task: String? = nil, reservation: String? = nil, actor: String? = nil
    ) {
        self.source = source
        self.id = id
        self.digest = digest
        self.account = account
        self.at = at
        self.content = content
        self.agent = agent
        self.user = user
        self.project = project
        self.session = session
        self.task = task
        self.reservation = reservation
        self.actor = actor
    }

    /// What it costs. Tasks cost nothing: they are counted against the plan.
    ///
    /// - Parameters:
    ///   - markup: the account's, else its plan's; nil = the price list's own.
    ///   - creditValueMicroUSD: what a credit is worth; divides 1 000 000.
    /// - Throws: `billing.unknown_model`, `billing.overflow`.
    package func rated(
        by prices: PriceList, markup: MarkupPercent?, creditValueMicroUSD: Int64
    ) throws(Refusal) -> RatedAmount {
        switch content {
        case .tokens(let counts, let model, let provider):
            try prices.rate(
                counts, model: model, provider: provider, markup: markup, creditValueMicroUSD: creditValueMicroUSD,
                at: at)
        case .agent(let name, let calls, let seconds):
            try prices.rateAgent(
                calls: calls, seconds: seconds, agent: name, markup: markup, creditValueMicroUSD: creditValueMicroUSD)
        case .tasks:
            RatedAmount(listMicroUSD: 0, chargeMicroUSD: 0, chargeMicroCredits: 0, priceVersion: prices.version)
        }
    }

    /// By what it is counted. A model stands under its id, also where an alias was named; one without a price with the provider that was
    /// named, because it is that provider's price which is missing.
    package func dimensions(_ amount: RatedAmount) -> UsageDimensions {
        var dimensions = UsageDimensions(agent: agent ?? "", user: user ?? "", project: project ?? "")
        switch content {
        case .tokens(_, let model, let provider):
            dimensions.model = amount.model ?? PriceList.fullName(model, provider: provider)
        case .agent(let name, _, _): dimensions.agent = name
        case .tasks: break
        }
        return dimensions
    }

    /// What windows and records count of it.
    package func amounts(_ amount: RatedAmount) -> UsageAmounts {
        var amounts = UsageAmounts()
        switch content {
        case .tokens(let counts, _, _):
            amounts.requests = 1
            amounts.input = counts.input
            amounts.output = counts.output
            amounts.cacheRead = counts.cacheRead
            amounts.cacheWrite = counts.cacheWrite
            amounts.reasoning = counts.reasoning
        case .agent(_, let calls, let seconds):
            amounts.agentCalls = calls
            amounts.agentSeconds = seconds
        case .tasks(let count):
            amounts.tasks = count
        }
        amounts.listMicroUSD = amount.listMicroUSD
        amounts.chargeMicroUSD = amount.chargeMicroUSD
        amounts.chargeMicroCredits = amount.chargeMicroCredits
        return amounts
    }

    /// The record that is kept of it.
    package func row(_ amount: RatedAmount, receivedAt: Timestamp, uncollectedMicroCredits: Int64 = 0) -> UsageRow {
        UsageRow(
            kind: content.kind, source: source, id: id, digest: digest, at: at, receivedAt: receivedAt,
            dimensions: dimensions(amount), amounts: amounts(amount),
            uncollectedMicroCredits: uncollectedMicroCredits, isQuarantined: amount.isQuarantined,
            priceVersion: amount.priceVersion, reservation: reservation, session: session, task: task)
    }
}
