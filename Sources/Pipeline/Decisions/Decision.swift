// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Essentials

/// What the pipeline answers: the same at every door; only the form differs.
package struct Decision: Sendable {
    /// One step of the pipeline as `explain` shows it.
    package struct Step: Sendable {
        package enum Outcome: String, Sendable {
            case pass, deny, skip, unavailable
        }
        package var name: String
        package var outcome: Outcome
        package var code: ErrorCode?
        /// What was compared with what; never token text, secret or digest.
        package var detail: String
        /// What to change so that the step passes, for people; nil where it passed or nothing can be said.
        package var remedy: String?
        package var microseconds: Int64

        package init(
            name: String, outcome: Outcome, code: ErrorCode?, detail: String, remedy: String? = nil, microseconds: Int64
        ) {
            self.name = name
            self.outcome = outcome
            self.code = code
            self.detail = detail
            self.remedy = remedy
            self.microseconds = microseconds
        }
    }

    /// Nil when allowed. A 503 means "cannot decide" and stays a 503 at every door.
    package var refusal: Refusal?
    /// Anonymous where nobody was verified.
    package var principal: Principal
    /// Whether the policy counts the principal as admin (admin token, or platform admin).
    package var admin: Bool
    /// `namespace/name` of the AuthConfig that covers the host.
    package var authConfig: String?
    /// The entry of `spec.hosts` that matched.
    package var hostRule: String?
    /// The normalised host.
    package var host: String?
    package var method: String?
    package var canonicalPath: String?
    /// `METHOD /pattern` of the rule that covers the request, as soon as it was looked up.
    package var route: String?
    /// The decision document, once the policy was asked.
    package var policy: PolicyDecision?
    /// The header that the credential came from, which Envoy is told to remove; nil for cookie, query and none.
    package var credentialHeader: String?
    /// Whether the AuthConfig passes the credential on to the workload.
    package var forwardsCredential: Bool
    /// The request limits it met; nil where none applies.
    package var limits: RateLimitReport?
    /// What the account may spend and what was taken of it; nil where nothing is metered or nothing was granted.
    package var granted: GrantedEntitlement?
    /// What undoes the stages, in the order in which they took; empty for a refusal.
    package var taken: [@Sendable () async -> Void]
    /// Generation of the snapshot that decided.
    package var snapshotGeneration: UInt64
    package var requestID: String
    /// Filled when the input asked for it.
    package var steps: [Step]
    /// What of it is not the asker's business, where it was explained.
    package var blanks: ExplainBlanks
    /// Whether it was left out of the whole decision, not only of the explanation.
    package internal(set) var isBlanked: Bool

    package init(snapshotGeneration: UInt64, requestID: String) {
        refusal = nil
        principal = .anonymous
        admin = false
        authConfig = nil
        hostRule = nil
        host = nil
        method = nil
        canonicalPath = nil
        route = nil
        policy = nil
        credentialHeader = nil
        forwardsCredential = false
        limits = nil
        granted = nil
        taken = []
        self.snapshotGeneration = snapshotGeneration
        self.requestID = requestID
        steps = []
        blanks = .none
        isBlanked = false
    }

    /// Whether there is anything to give back.
    package var tookSomething: Bool { !taken.isEmpty }

    /// Gives back what the stages took, for an answer that nobody gets. Once; the decision itself stays as it is.
    package func giveBack() async {
        for giveBack in taken.reversed() { await giveBack() }
    }

    /// The same with a refusal instead, for an answer that nobody may get; everything is given back.
    package func refused(_ refusal: Refusal) async -> Decision {
        await giveBack()
        var copy = self
        copy.refusal = refusal
        copy.granted = nil
        copy.taken = []
        return copy
    }

    /// Whether there is a refusal. Asked at every step: it looks at the refusal without taking a copy.
    package var isRefused: Bool {
        if case .some = refusal { return true }
        return false
    }

    /// Whether it is allowed although the policy engine could not be asked: only such an allow has reasons.
    var passedWithoutEngine: Bool {
        !isRefused && policy?.reasons.isEmpty == false
    }

    /// 200 when allowed, else the refusal's status.
    package var status: Int { refusal?.status ?? 200 }
}
