// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What became of one credential.
package enum AuthenticationOutcome: Sendable {
    case verified(Principal)
    /// Refused. `identity` names whom the credential claimed to be in a way that failure limits may count: the id in well-formed token text,
    /// or issuer and subject once a signature held.
    case refused(Refusal, identity: String?)
    /// Only the cluster can tell: nothing is known yet.
    case needsReview(PendingReview)
}
