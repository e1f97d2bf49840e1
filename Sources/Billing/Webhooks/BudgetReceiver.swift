// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The address that a budget names for its own events: a webhook endpoint like the account's others, with a secret of its own and the id
/// `budget:<name>`. It is not in their list, and its address is changed with the budget.
package enum BudgetReceiver {
    private static let prefix = "budget:"

    /// The id of the endpoint of a budget.
    package static func id(of budget: String) -> String { prefix + budget }

    /// The name of the budget whose endpoint has that id; nil where it is another endpoint's.
    package static func budget(ofEndpoint id: String) -> String? {
        id.hasPrefix(prefix) ? String(id.dropFirst(prefix.count)) : nil
    }

    /// Makes the endpoint of a budget, or takes the one that there is. Another address gets another secret.
    ///
    /// - Parameter enables: whether one that its receiver had disabled is sent to again.
    /// - Returns: the endpoint, and whether its secret is new.
    static func put(
        _ budget: String, url: String, enables: Bool, at now: Timestamp, random: any RandomSource,
        in transaction: any BillingTransaction
    ) throws -> (endpoint: WebhookEndpoint, isNew: Bool) {
        let id = id(of: budget)
        if var known = try WebhookEndpointService.endpoint(id, in: transaction), known.url == url {
            if enables, known.disabledBecause != nil {
                known.enable()
                try transaction.put(WebhookEndpointService.row(known))
            }
            return (known, false)
        }
        let endpoint = WebhookEndpoint(
            id: id, url: url, description: "of a budget", secret: .make(random), createdAt: now)
        try transaction.put(WebhookEndpointService.row(endpoint))
        return (endpoint, true)
    }

    /// Takes the endpoint of a budget away; what waits for it is not sent any more.
    static func remove(_ budget: String, in transaction: any BillingTransaction) throws {
        try transaction.remove(.budgetReceiver, budget)
    }
}
