// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// The period that an instant lies in.
    @Sendable static func periodBounds(_ record: CaseRecord) async throws {
        let interval = try #require(Plan.Interval(rawValue: record.given["interval"]?.stringValue ?? ""))
        let period = BillingPeriod.of(
            interval, anchor: try time(record.given["anchor"]), containing: try time(record.given["at"]))
        #expect(period.start == (try time(record.expect["start"])))
        #expect(period.end == (try time(record.expect["end"])))
    }
}
