// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What authentication found out about a request.
package struct AuthenticationResult: Sendable {
    /// Known, anonymous, or refused.
    package enum Verdict: Sendable {
        case principal(Principal)
        case refusal(Refusal)
    }

    package var verdict: Verdict
    /// Where the credential stood; nil = none was presented.
    package var source: Credential.Source?
    /// Whether a credential is needed here.
    package var enforcing: Bool
    /// What happened, for explanations: never a secret.
    package var detail: String
    /// Why a presented credential was not believed, also where the caller goes on as anonymous.
    package var credentialRefusal: Refusal?
    /// Blocks that this failure began: one audit entry each.
    package var newBlocks: [FailureBlock]
    /// What the cluster has to be asked before anything is known; the verdict is `auth.review_unavailable` until then, and nothing is counted.
    package var pendingReview: PendingReview?

    package init(
        verdict: Verdict, source: Credential.Source?, enforcing: Bool, detail: String,
        credentialRefusal: Refusal? = nil, newBlocks: [FailureBlock] = [], pendingReview: PendingReview? = nil
    ) {
        self.verdict = verdict
        self.source = source
        self.enforcing = enforcing
        self.detail = detail
        self.credentialRefusal = credentialRefusal
        self.newBlocks = newBlocks
        self.pendingReview = pendingReview
    }

    /// The lower-case name of the header that the credential came from; nil for none, query and certificate.
    package var credentialHeader: String? {
        switch source {
        case .authorization: "authorization"
        case .apiKeyHeader: "x-api-key"
        case .webSocketProtocol: "sec-websocket-protocol"
        case .query, .certificate, .described, .session, nil: nil
        }
    }

    /// Whoever is let in, unless it is refused.
    package var principal: Principal? {
        if case .principal(let principal) = verdict { return principal }
        return nil
    }

    /// The refusal, if it is one.
    package var refusal: Refusal? {
        if case .refusal(let refusal) = verdict { return refusal }
        return nil
    }
}
