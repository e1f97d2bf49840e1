// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The pipeline as the doors see it.
package protocol RequestDeciding: Sendable {
    /// Decides about another system's request. Audits, counts and never throws: what cannot be decided is a refusal with status 503.
    func decide(_ input: DecisionInput) async -> Decision

    /// Decides several from one snapshot, in order.
    func decide(_ inputs: [DecisionInput]) async -> [Decision]

    /// Admits a request to Tollgate's own API: failure limit, credential, route permission. Does not audit; the HTTP layer does when it knows the status.
    func admit(_ request: OwnRequest) async -> OwnAdmission
}
