// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `GET /v1/billing/usage/series?account&from&to&granularity&group_by`
package struct SeriesRequest: Sendable, Hashable {
    /// Nil = the caller's tenant.
    package var account: String?
    package var from: Timestamp
    package var to: Timestamp
    package var granularity: UsageWindowDelta.Granularity
    package var groupBy: Set<UsageDimension>

    /// Most windows of one answer, before they are grouped.
    package static let maximumWindows: Int64 = 10_000
    /// Most buckets of one answer.
    package static let maximumBuckets = 20_000

    /// Reads the items of a query. `from` is moved to the start of its window. Without `to` it is now, without `from` thirty windows
    /// before `to`, without `granularity` days.
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ query: JSONObject, now: Timestamp) throws(Refusal) -> SeriesRequest {
        var fields = try BodyFields(query, known: ["account", "from", "to", "granularity", "group_by"])
        let granularity = fields.choice("granularity", UsageWindowDelta.Granularity.self) ?? .day
        let to = fields.instant("to") ?? now
        let seconds: Int64 =
            switch granularity {
            case .hour: 3600
            case .day: 86_400
            case .week: 7 * 86_400
            case .month: 31 * 86_400
            }
        let from = fields.instant("from") ?? Timestamp(seconds: max(0, to.seconds - 30 * seconds))
        if fields.faults.isEmpty {
            if from >= to { fields.fault("from", "not before to") }
            if (to.seconds - from.seconds) / seconds > maximumWindows {
                fields.fault("from", "more than \(maximumWindows) windows before to")
            }
        }
        var groupBy: Set<UsageDimension> = []
        if let text = fields.text("group_by") {
            for name in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let dimension = UsageDimension(rawValue: ASCII.trimmed(name)) else {
                    let words = UsageDimension.allCases.map(\.rawValue).joined(separator: ", ")
                    fields.fault("group_by", "not a list of \(words)")
                    break
                }
                groupBy.insert(dimension)
            }
        }
        let account = fields.text("account")
        try fields.finish()
        return SeriesRequest(
            account: account, from: granularity.start(of: from), to: to, granularity: granularity, groupBy: groupBy)
    }
}

/// `limit` and `cursor` of the pages of history, ledger and credits.
package struct PageQuery: Sendable, Hashable {
    /// Nil = the caller's tenant.
    package var account: String?
    /// 1 to 1000.
    package var limit: Int
    /// As the page before gave it.
    package var cursor: String?

    /// - Parameter others: members that the query may have beside `limit`, `cursor` and `account`.
    /// - Throws: `request.malformed`, `request.invalid`.
    package static func read(_ query: JSONObject, others: Set<String> = []) throws(Refusal) -> PageQuery {
        var fields = try BodyFields(query, known: others.union(["account", "limit", "cursor"]))
        let limit = fields.pageSize()
        let cursor = fields.text("cursor", atMost: 2048)
        let account = fields.text("account")
        try fields.finish()
        return PageQuery(account: account, limit: limit, cursor: cursor)
    }
}
