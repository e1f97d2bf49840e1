// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
package import RuntimeState

/// The policy data as its endpoints need it. A "no" is a thrown refusal.
package protocol PolicyDataService: Sendable {
    /// What is in force.
    var state: PolicyState { get }
    /// Changes one role; see `PolicyKeeper.change`.
    func change(_ edit: RoleEdit, onRevision revisions: [String]?) async throws(Refusal) -> PolicyChange
    /// Every problem that these documents would have in force; one that is not given is the present one.
    func problems(roles: JSONValue?, routes: JSONValue?) -> [PolicyProblem]
}

extension PolicyKeeper: PolicyDataService {}

/// How policy questions are answered at present.
package struct PolicyEngineReport: Sendable {
    package enum Mode: String, Sendable {
        /// In this process.
        case local
        /// By the sidecar.
        case sidecar
        /// In this process, without the role check for workloads.
        case disabled
    }

    package var mode: Mode
    /// Whether the settings choose evaluation in this process.
    package var isLocal: Bool
    /// State of the breaker in front of the sidecar; nil where there is none.
    package var breaker: JSONObject?

    package init(mode: Mode, isLocal: Bool, breaker: JSONObject? = nil) {
        self.mode = mode
        self.isLocal = isLocal
        self.breaker = breaker
    }

    /// Everything in this process.
    package static let local = PolicyEngineReport(mode: .local, isLocal: true)
}
