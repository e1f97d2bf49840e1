// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Usage as answers show it.
package enum UsageShapes {
    /// `{granularity, from, to, buckets[{start, window, model?, agent?, user?, project?, requests, tokens, …}]}`, in the order of starts.
    package static func series(_ request: SeriesRequest, _ windows: [UsageWindowDelta]) -> JSONValue {
        let buckets = windows.map { window -> JSONValue in
            var object: JSONObject = [
                "start": .string(window.start.rfc3339),
                "window": .string(UsageWindowNames(at: window.start)[window.granularity]),
            ]
            for dimension in UsageDimension.allCases where request.groupBy.contains(dimension) {
                object[dimension.rawValue] = .string(value(window.dimensions, dimension))
            }
            add(window.amounts, to: &object)
            return .object(object)
        }
        return [
            "granularity": .string(request.granularity.rawValue), "from": .string(request.from.rfc3339),
            "to": .string(request.to.rfc3339), "buckets": .array(buckets),
        ]
    }

    /// `{records[…], next_cursor}`, the newest first.
    ///
    /// - Parameter hasMore: whether there are older ones.
    package static func history(_ rows: [UsageRow], hasMore: Bool) -> JSONValue {
        let cursor = hasMore ? rows.last.map { UsageCursor(at: $0.at, source: $0.source, id: $0.id).text } : nil
        return ["records": .array(rows.map(record)), "next_cursor": .optional(cursor)]
    }

    /// `{at, received_at, kind, source, id, model?, agent?, …, tokens, charge_micro_usd, charge_micro_credits, …}`
    package static func record(_ row: UsageRow) -> JSONValue {
        var object: JSONObject = [
            "at": .string(row.at.rfc3339Micros), "received_at": .string(row.receivedAt.rfc3339Micros),
            "kind": .string(row.kind), "source": .string(row.source), "id": .string(row.id),
        ]
        for dimension in UsageDimension.allCases {
            let text = value(row.dimensions, dimension)
            if !text.isEmpty { object[dimension.rawValue] = .string(text) }
        }
        for (name, text) in [("session", row.session), ("task", row.task), ("reservation", row.reservation)] {
            if let text { object[name] = .string(text) }
        }
        add(row.amounts, to: &object)
        object["list_micro_usd"] = .int(row.amounts.listMicroUSD)
        if row.uncollectedMicroCredits > 0 { object["uncollected_micro_credits"] = .int(row.uncollectedMicroCredits) }
        if row.isQuarantined { object["quarantined"] = true }
        object["price_version"] = .optional(row.priceVersion)
        return .object(object)
    }

    /// `{input, output, cache_read, cache_write, reasoning, total}`
    package static func tokens(_ amounts: UsageAmounts) -> JSONValue {
        [
            "input": .int(amounts.input), "output": .int(amounts.output), "cache_read": .int(amounts.cacheRead),
            "cache_write": .int(amounts.cacheWrite), "reasoning": .int(amounts.reasoning),
            "total": .int(amounts.tokens),
        ]
    }

    private static func add(_ amounts: UsageAmounts, to object: inout JSONObject) {
        object["requests"] = .int(amounts.requests)
        object["tokens"] = tokens(amounts)
        object["agent_calls"] = .int(amounts.agentCalls)
        object["agent_seconds"] = .int(amounts.agentSeconds)
        object["tasks"] = .int(amounts.tasks)
        object["charge_micro_usd"] = .int(amounts.chargeMicroUSD)
        object["charge_micro_credits"] = .int(amounts.chargeMicroCredits)
    }

    private static func value(_ dimensions: UsageDimensions, _ dimension: UsageDimension) -> String {
        switch dimension {
        case .model: dimensions.model
        case .agent: dimensions.agent
        case .user: dimensions.user
        case .project: dimensions.project
        }
    }
}
