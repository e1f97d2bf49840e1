// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// The names of the windows of an instant.
    @Sendable static func windows(_ record: CaseRecord) async throws {
        let names = UsageWindowNames(at: try time(record.given["at"]))
        let found: JSONValue = [
            "hour": .string(names.hour), "day": .string(names.day), "week": .string(names.week),
            "month": .string(names.month),
        ]
        expect(found, has: record.expect, record.id)
    }

    /// Which thresholds fire at each step.
    @Sendable static func thresholds(_ record: CaseRecord) async throws {
        let limit = try #require(record.given["limit"]?.intValue)
        var levels = ThresholdLevels()
        var used: Int64 = 0
        for (index, step) in record.steps.enumerated() {
            var fired: [Int64] = []
            switch step["op"]?.stringValue {
            case "use":
                used += try #require(step["amount"]?.intValue)
                fired = levels.crossed(used: used, limit: limit)
            case "reset":
                used = 0
                levels.rearm()
            default: Issue.record("\(record.id): step \(index) is of no known kind")
            }
            #expect(.array(fired.map(JSONValue.int)) == step["expect"]?["fired"], "\(record.id): step \(index)")
        }
    }

    /// How a period will end.
    @Sendable static func forecast(_ record: CaseRecord) async throws {
        let given = record.given
        let forecast = try UsageForecast(
            now: time(given["now"]), periodStart: time(given["period_start"]), periodEnd: time(given["period_end"]),
            used: try #require(given["used_micro_credits"]?.intValue),
            available: try #require(given["available_micro_credits"]?.intValue),
            completeDays: try #require(given["complete_days"]?.arrayValue).compactMap(\.intValue))
        expect(forecast.json, has: record.expect, record.id)
    }
}
