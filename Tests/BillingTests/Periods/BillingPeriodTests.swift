// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct BillingPeriodTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    @Test(arguments: [
        ("2026-01-31T10:00:00Z", "2026-02-28T09:59:59Z", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"),
        ("2026-01-31T10:00:00Z", "2026-03-31T10:00:00Z", "2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"),
        ("2027-12-31T00:00:00Z", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"),
        ("2026-05-15T00:00:00Z", "2026-05-14T23:59:59Z", "2026-04-15T00:00:00Z", "2026-05-15T00:00:00Z"),
        ("2026-05-31T00:00:00Z", "2025-12-31T00:00:00Z", "2025-12-31T00:00:00Z", "2026-01-31T00:00:00Z"),
    ])
    func monthsAreClippedAndCountedFromTheAnchor(anchor: String, at: String, start: String, end: String) throws {
        let period = BillingPeriod.of(.month, anchor: try time(anchor), containing: try time(at))
        #expect(period.start.rfc3339 == start)
        #expect(period.end.rfc3339 == end)
    }

    @Test func weeksBeginOnMonday() throws {
        let week = BillingPeriod.week(containing: try time("2026-01-01T00:00:00Z"))
        #expect(week.start.rfc3339 == "2025-12-29T00:00:00Z")
        #expect(week.end.rfc3339 == "2026-01-05T00:00:00Z")
        #expect(BillingPeriod.week(containing: week.end).start == week.end)
    }

    @Test(arguments: UInt64(1)...50)
    func periodsFollowEachOtherWithoutGaps(seed: UInt64) {
        let random = SeededRandom(seed: seed)
        let anchor = Timestamp(seconds: Int64(random.below(2_000_000_000)))
        for interval in Plan.Interval.allCases {
            for _ in 0..<40 {
                let instant = Timestamp(seconds: Int64(random.below(4_000_000_000)))
                let period = BillingPeriod.of(interval, anchor: anchor, containing: instant)
                #expect(period.contains(instant))
                #expect(BillingPeriod.of(interval, anchor: anchor, containing: period.end).start == period.end)
                let last = Timestamp(microseconds: period.start.microseconds - 1)
                #expect(BillingPeriod.of(interval, anchor: anchor, containing: last).end == period.start)
            }
        }
    }
}
