// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// What was used, and how it goes on.
struct UsageReportRoutes: Sendable {
    let services: BillingServices

    var routes: [OwnRoute] {
        let billing = services.billing
        return [
            OwnRoute("GET", "/v1/billing/usage/series", .read) { call throws(Refusal) in
                let (query, account) = try call.billingQuery("from", "to", "granularity", "group_by")
                let request = try SeriesRequest.read(query, now: services.clock.now())
                return .object(try await billing.series(request, account: account))
            },
            OwnRoute("GET", "/v1/billing/usage/history", .read) { call throws(Refusal) in
                try await history(call)
            },
            OwnRoute("GET", "/v1/billing/forecast", .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .object(try await billing.forecast(account).json)
            },
        ]
    }

    /// Records, the newest first, of one model, agent, user or project where they are named.
    private func history(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let others = Set(UsageDimension.allCases.map(\.rawValue) + ["from", "to"])
        let items = try call.query.object(known: others.union(["limit", "cursor", "account"]))
        let account = try call.account(named: items["account"]?.stringValue)
        let page = try PageQuery.read(items, others: others)
        var reader = FieldReader()
        var query = UsageQuery(limit: page.limit)
        query.from = Self.instant("from", items, &reader)
        query.to = Self.instant("to", items, &reader)
        if let from = query.from, let to = query.to, from >= to { reader.fault("from", "not before to") }
        for dimension in UsageDimension.allCases {
            query.dimensions[dimension] = items[dimension.rawValue]?.stringValue
        }
        if let text = page.cursor {
            query.before = UsageCursor(text: text)
            if query.before == nil { reader.fault("cursor", "not a cursor of this list") }
        }
        try reader.finish()
        return .object(try await services.billing.history(query, account: account))
    }

    private static func instant(_ name: String, _ items: JSONObject, _ reader: inout FieldReader) -> Timestamp? {
        guard let text = items[name]?.stringValue else { return nil }
        let instant = Timestamp(rfc3339: text)
        if instant == nil { reader.fault(name, "not an instant like 2027-01-31T12:00:00Z") }
        return instant
    }
}
