// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
package import Essentials
package import RuntimeState

/// A step between authorisation and audit that may take something (a place in a window, credit) and has to give it back when a later step
/// refuses. Stages run in list order, for routes that are not public and for decisions that are not dry runs.
package protocol AdmissionStage: Sendable {
    /// Which step of the pipeline it is.
    var step: DecisionStep { get }

    /// Whether there is anything to take for such a request. Asked first, of every decision: it looks and allocates nothing.
    ///
    /// - Parameters:
    ///   - rule: of the route; nil where none covers the request.
    ///   - usage: what the gateway says of the request itself.
    func concerns(
        _ principal: Principal, config: CompiledAuthConfig, rule: RouteRule?, usage: StatedUsage?,
        accounts: AccountTable
    ) -> Bool

    /// Takes what the request needs.
    func admit(_ request: AdmissionRequest) async -> AdmissionOutcome

    /// What `admit` would find now, taking nothing: for the explanation of a request that is not to be admitted. Nil when nothing can be said.
    func preview(_ request: AdmissionRequest) async -> AdmissionOutcome?
}

extension AdmissionStage {
    package func preview(_ request: AdmissionRequest) async -> AdmissionOutcome? { nil }
}

extension AdmissionStage {
    package func concerns(
        _ principal: Principal, config: CompiledAuthConfig, rule: RouteRule?, usage: StatedUsage?,
        accounts: AccountTable
    ) -> Bool { true }
}

/// What an admission stage knows of a request that was authorised.
package struct AdmissionRequest: Sendable {
    package let principal: Principal
    package let config: CompiledAuthConfig
    package let policy: PolicyDecision
    /// The route; nil where none covers the request.
    package let match: RouteMatch?
    /// What the gateway says of the request itself.
    package let usage: StatedUsage?
    /// What makes the same request be metered once; nil = it is metered each time.
    package let meteringKey: String?
    package let accounts: AccountTable
    package let now: Timestamp
    /// What is left of the time for the whole decision; a stage that waits for another system waits no longer.
    package let timeLeft: Duration
}

/// Whether a stage lets a request on.
package enum AdmissionOutcome: Sendable {
    /// Taken; `giveBack` undoes it when a later step refuses. Nil where there is nothing to undo.
    case admitted(
        detail: String, limits: RateLimitReport? = nil, granted: GrantedEntitlement? = nil,
        giveBack: (@Sendable () async -> Void)?)
    case refused(Refusal, detail: String, limits: RateLimitReport? = nil)
}
