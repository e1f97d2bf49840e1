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
}
