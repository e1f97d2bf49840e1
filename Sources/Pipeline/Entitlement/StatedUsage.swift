// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import RuntimeState

/// What a gateway says a request uses: it replaces action and estimate of the metering in force, never what that requires.
package final class StatedUsage: Sendable {
    package let action: CompiledMetering.Action
    /// Of action `tokens`.
    package let provider: String?
    package let model: String?
    package let estimate: TokenEstimate
    /// Of action `task`; at least 1.
    package let count: Int64
    /// Of action `slot`.
    package let slot: CompiledMetering.Slot?
    /// What is hired or taken; nil = what the route's `{id}` captured.
    package let id: String?
    /// Whether a premium agent is hired.
    package let isPremium: Bool
    /// Who pays; nil = the account of the caller.
    package let account: String?
    package let user: String?
    package let project: String?
    package let agent: String?

    package init(
        action: CompiledMetering.Action, provider: String? = nil, model: String? = nil,
        estimate: TokenEstimate = TokenEstimate(), count: Int64 = 1, slot: CompiledMetering.Slot? = nil,
        id: String? = nil, isPremium: Bool = false, account: String? = nil, user: String? = nil,
        project: String? = nil, agent: String? = nil
    ) {
        self.action = action
        self.provider = provider
        self.model = model
        self.estimate = estimate
        self.count = count
        self.slot = slot
        self.id = id
        self.isPremium = isPremium
        self.account = account
        self.user = user
        self.project = project
        self.agent = agent
    }
}
