// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a person has to look at.
extension BillingService {
    /// Events of the payment provider that got so far, the newest first.
    ///
    /// - Throws: `billing.unavailable`.
    package func providerEvents(
        _ state: ProviderEventRow.State, limit: Int
    ) async throws(Refusal) -> [ProviderEventRow] {
        do {
            return try await ledger.providerEvents(state, limit: limit)
        } catch { throw fault(error, "") }
    }

    /// Acknowledged usage of an account that could not be applied, in the order of its ids: `{id, reason, attempts, at, event}`.
    ///
    /// - Throws: `billing.unavailable`.
    package func usageSetAside(of account: String, limit: Int) async throws(Refusal) -> [JSONValue] {
        try await rows(account) { reader in
            try reader.named(.deadUsage, after: nil, limit: limit).map(DeadUsage.shown)
        }
    }
}
