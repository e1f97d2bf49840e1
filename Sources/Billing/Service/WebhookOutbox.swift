// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Puts messages for an account's endpoints beside their cause, in its transaction.
package enum WebhookOutbox {
    /// Adds one delivery for every endpoint that wants the type.
    ///
    /// - Parameters:
    ///   - body: `{type, timestamp, data}`, exactly as it is signed and sent.
    ///   - message: its id, the same at every endpoint.
    package static func add(
        _ type: String, body: String, message: String, account: String, at now: Timestamp,
        in transaction: any BillingTransaction
    ) throws {
        let deliveries = try WebhookEndpointService.endpoints(in: transaction).filter { $0.wants(type) }.map {
            DeliveryRow(
                id: "\(message).\($0.id)", account: account, endpoint: $0.id, message: message, type: type, body: body,
                nextAt: now, createdAt: now)
        }
        if !deliveries.isEmpty { try transaction.add(deliveries) }
    }

    /// Adds an event of an account for every endpoint that wants its type, and for the address of the budget that it is about.
    ///
    /// - Parameters:
    ///   - message: its id, the same at every endpoint.
    ///   - random: for the secret of a budget's address that has none yet.
    package static func add(
        _ event: AccountEvent, message: String, account: String, random: any RandomSource,
        in transaction: any BillingTransaction
    ) throws {
        let body = event.json.jsonText
        try add(event.kind.rawValue, body: body, message: message, account: account, at: event.at, in: transaction)
        guard let url = event.webhookURL, let budget = event.data["budget"]?.stringValue else { return }
        let endpoint = try BudgetReceiver.put(
            budget, url: url, enables: false, at: event.at, random: random, in: transaction
        ).endpoint
        guard endpoint.disabledBecause == nil else { return }
        try transaction.add([
            DeliveryRow(
                id: "\(message).\(endpoint.id)", account: account, endpoint: endpoint.id, message: message,
                type: event.kind.rawValue, body: body, nextAt: event.at, createdAt: event.at)
        ])
    }
}
