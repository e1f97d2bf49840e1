// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
package import Essentials
package import RuntimeState

/// What a request wants of its account.
package struct EntitlementRequest: Sendable, Hashable {
    /// Who pays.
    package var account: String
    /// `tokens` reserves the estimate, `task` counts; `agent.hire` and `slot` are checked only; `none` charges `microCreditsPerRequest` alone.
    package var action: CompiledMetering.Action
    /// Of action `tokens`.
    package var provider: String?
    package var model: String?
    package var estimate: TokenEstimate
    /// Of action `task`; at least 1.
    package var count: Int64
    /// Of action `slot`.
    package var slot: CompiledMetering.Slot?
    /// What is hired or taken: what the gateway says, else the route's `{id}`; nil where neither says anything.
    package var id: String?
    /// Whether a premium agent is hired.
    package var isPremium: Bool
    /// What the plan must include. The snapshot has passed it already; whoever asks the ledger looks again, because that may know more.
    package var requirements: CompiledMetering.Requirements
    /// Charged at the decision; not below 0.
    package var microCreditsPerRequest: Int64
    /// The same key is the same request: it is metered once. At most 100 bytes.
    package var key: String
    package var user: String?
    package var project: String?
    package var agent: String?
    /// When the decision began.
    package var now: Timestamp
    /// How long an answer may take.
    package var timeLeft: Duration

    /// What the metering in force asks, with what the gateway says instead.
    ///
    /// - Parameter metering: nil where only the gateway's word meters.
    init(account: String, metering: CompiledMetering?, request: AdmissionRequest, key: String) {
        self.account = account
        self.key = key
        now = request.now
        timeLeft = request.timeLeft
        requirements = metering?.requirements ?? CompiledMetering.Requirements()
        microCreditsPerRequest = metering?.microCreditsPerRequest ?? 0
        user = request.principal.subject
        project = request.principal.projectID
        id = request.match?.captures.id
        guard let usage = request.usage else {
            action = metering?.action ?? .none
            model = metering?.model
            estimate = metering?.estimate ?? TokenEstimate()
            count = 1
            slot = metering?.slot
            isPremium = false
            return
        }
        action = usage.action
        provider = usage.provider
        model = usage.model
        estimate = usage.estimate
        count = usage.count
        slot = usage.slot
        isPremium = usage.isPremium
        if let stated = usage.id { id = stated }
        if let stated = usage.user { user = stated }
        if let stated = usage.project { project = stated }
        agent = usage.agent
    }

    /// Whether the ledger has to be asked: what the plan must include is known without it.
    var asksLedger: Bool { action != .none || microCreditsPerRequest > 0 }
}
