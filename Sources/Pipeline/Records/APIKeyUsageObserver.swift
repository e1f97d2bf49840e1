// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials

/// Counts the decisions about requests with an API key, for the usage report of the key.
package struct APIKeyUsageObserver: DecisionObserving {
    private let keys: APIKeyTable

    /// Counts in that table.
    package init(keys: APIKeyTable) { self.keys = keys }

    package func decided(_ decision: Decision, at now: Timestamp) {
        guard decision.principal.authSource == .apiKey, let id = decision.principal.tokenID else { return }
        keys.decided(id, status: decision.status, at: now)
    }
}
