// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The ledger as the pipeline asks it: whether an account can pay, and what is taken for a request.
package protocol EntitlementService: Sendable {
    /// Whether an account is made where there is none; where not, whoever has none is refused.
    var makesAccounts: Bool { get }

    /// Checks and takes, in one transaction: reserves the estimate, counts the task, charges the request. Nothing is taken with a refusal.
    /// The same key again takes nothing more and is the same answer.
    ///
    /// - Returns: `billing.unavailable` where it cannot be decided, also when it takes longer than the request's `timeLeft`.
    func decide(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal>

    /// Undoes everything that was taken for an entitlement, because its request is refused after all or nobody got the answer. Afterwards its
    /// key is as if it was never used. Repeatable. It is done even if whoever calls is cancelled: a client that went away is why it is called.
    func giveBack(_ entitlement: Entitlement) async

    /// What `decide` would answer now; takes nothing.
    func preview(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal>
}

extension EntitlementService {
    package var makesAccounts: Bool { true }
}
