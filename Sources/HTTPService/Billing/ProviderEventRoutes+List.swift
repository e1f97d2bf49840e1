// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Events of the payment provider for a person to look at: those that failed, were given up, or wait for an account.
extension ProviderEventRoutes {
    var listing: OwnRoute {
        OwnRoute("GET", "/v1/billing/provider-events", .read) { call throws(Refusal) in
            try call.requirePlatformAdmin()
            let request = try ProviderEventQuery.read(try call.query.object(known: ["state", "limit"]))
            let events = try await services.billing.providerEvents(request.state, limit: request.limit)
            return .json(["events": .array(events.map(\.shown)), "count": .int(Int64(events.count))])
        }
    }
}

extension ProviderEventRow {
    /// `{id, type, state, outcome, account, customer, subscription, attempts, created, received_at, next_at}`
    fileprivate var shown: JSONValue {
        [
            "id": .string(id), "type": .string(type), "state": .string(state.rawValue), "outcome": .optional(outcome),
            "account": .optional(account), "customer": .optional(customer), "subscription": .optional(subscription),
            "attempts": .int(attempts), "created": .string(created.rfc3339),
            "received_at": .string(receivedAt.rfc3339), "next_at": .optional(nextAt?.rfc3339),
        ]
    }
}
