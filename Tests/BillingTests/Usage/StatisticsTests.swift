// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct StatisticsTests {
    private static func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    /// An instant and its week, from the table of ISO 8601.
    @Test(arguments: [
        ("2005-01-01T00:00:00Z", "2004-W53"), ("2005-01-02T23:59:59Z", "2004-W53"),
        ("2005-12-31T00:00:00Z", "2005-W52"), ("2006-01-01T00:00:00Z", "2005-W52"),
        ("2006-01-02T00:00:00Z", "2006-W01"), ("2006-12-31T00:00:00Z", "2006-W52"),
        ("2007-01-01T00:00:00Z", "2007-W01"), ("2007-12-30T00:00:00Z", "2007-W52"),
        ("2007-12-31T00:00:00Z", "2008-W01"), ("2008-12-28T00:00:00Z", "2008-W52"),
        ("2008-12-29T00:00:00Z", "2009-W01"), ("2009-12-31T00:00:00Z", "2009-W53"),
        ("2010-01-03T00:00:00Z", "2009-W53"), ("2024-02-29T12:00:00Z", "2024-W09"),
        ("1970-01-01T00:00:00Z", "1970-W01"),
    ])
    func namesISOWeeks(_ at: String, _ week: String) throws {
        #expect(UsageWindowNames(at: try Self.time(at)).week == week)
    }

    @Test(arguments: [
        (
            "2026-03-01T12:34:56.789Z", "2026-03-01T12:00:00Z", "2026-03-01T00:00:00Z", "2026-02-23T00:00:00Z",
            "2026-03-01T00:00:00Z"
        ),
        (
            "2024-12-31T23:59:59.999999Z", "2024-12-31T23:00:00Z", "2024-12-31T00:00:00Z", "2024-12-30T00:00:00Z",
            "2024-12-01T00:00:00Z"
        ),
        (
            "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z",
            "2026-03-01T00:00:00Z"
        ),
    ])
    func windowsBeginInUTC(_ at: String, _ hour: String, _ day: String, _ week: String, _ month: String) throws {
        let at = try Self.time(at)
        let starts = UsageWindowDelta.Granularity.allCases.map { $0.start(of: at).rfc3339 }
        #expect(starts == [hour, day, week, month])
    }

    /// Windows follow each other without a gap, whichever day it is.
    @Test func everyWindowEndsWhereTheNextBegins() {
        let random = SeededRandom(seed: 8)
        for _ in 0..<FuzzCases.count(2000) {
            let at = Timestamp(microseconds: Int64(random.below(Int(Timestamp.latest.microseconds / 2))))
            for granularity in UsageWindowDelta.Granularity.allCases {
                let (start, end) = (granularity.start(of: at), granularity.end(of: at))
                #expect(start <= at && at < end)
                #expect(granularity.start(of: start) == start)
                #expect(granularity.start(of: end) == end)
                #expect(granularity.end(of: Timestamp(microseconds: end.microseconds - 1)) == end)
            }
            let day = UTCDay(at)
            #expect(UTCDay(year: day.year, month: day.month, day: day.day) == day)
            #expect(UsageWindowNames(at: at).day == String(at.rfc3339.prefix(10)))
        }
    }

    @Test func aUseEntersOneWindowOfEachLength() throws {
        var amounts = UsageAmounts()
        amounts.requests = 1
        let at = try Self.time("2027-01-01T00:30:00Z")
        let dimensions = UsageDimensions(model: "m")
        let windows = UsageWindowDelta.Granularity.windows(at: at, dimensions, amounts)
        #expect(windows.map(\.granularity) == [.hour, .day, .week, .month])
        #expect(windows[2].start.rfc3339 == "2026-12-28T00:00:00Z")
        #expect(windows.allSatisfy { $0.amounts == amounts && $0.dimensions == dimensions })
    }

    @Test func whatIsTooManyIsCountedAsOther() {
        var cap = DimensionCap(count: 1, maximum: 2)
        #expect(
            ["", "a", "b", "b", "c", "a", "other", "", "d"].map { cap.admit($0, isKnown: $0 == "a") }
                == ["", "a", "b", "b", "other", "a", "other", "", "other"])
        #expect(DimensionCap.maximumValues == 10_000)
    }

    // MARK: Thresholds

    /// Uses one after another, the limit, and what fires at each.
    @Test(
        arguments: [
            ([0, 49, 50, 79, 80, 99, 100, 1000], 100, [[], [], [50], [], [80], [], [100], []]),
            ([1], 1, [[50, 80, 100]]),
            ([1, 2, 3], 3, [[], [50], [80, 100]]),
            ([60, 40, 60], 100, [[50], [], []]),
            ([.max], .max, [[50, 80, 100]]),
            ([0, 5], 0, [[], []]),
            ([.max], nil, [[]]),
        ] as [([Int64], Int64?, [[Int64]])])
    func thresholdsFireOnce(_ uses: [Int64], _ limit: Int64?, _ fired: [[Int64]]) {
        var levels = ThresholdLevels()
        #expect(uses.map { levels.crossed(used: $0, limit: limit) } == fired)
        var again = ThresholdLevels(highest: levels.highest)
        #expect(again.crossed(used: uses.last ?? 0, limit: limit) == [])
        levels.rearm()
        #expect(levels == ThresholdLevels())
    }

    // MARK: Forecast

    /// Complete days and where they go.
    @Test(
        arguments: [
            ([], .unknown), ([5, 50], .unknown), ([10, 0, 10], .flat), ([100, 0, 115], .flat),
            ([100, 0, 116], .rising),
            ([100, 0, 85], .flat), ([100, 0, 84], .falling), ([0, 0, 0], .flat), ([0, 9, 1], .rising),
            ([1, 9, 0], .falling), ([10, 10, 20, 20], .rising), ([.max, .max, 1, 1], .falling),
        ] as [([Int64], UsageForecast.Trend)])
    func aTrendComparesHalves(_ days: [Int64], _ trend: UsageForecast.Trend) throws {
        let start = try Self.time("2026-03-01T00:00:00Z")
        let forecast = try UsageForecast(
            now: start, periodStart: start, periodEnd: start.adding(seconds: 86_400), used: 0, available: 0,
            completeDays: days)
        #expect(forecast.trend == trend)
    }

    /// Hours since the start, used, available; then elapsed days, projection, end and confidence.
    @Test(
        arguments: [
            (0, 0, 100, 1, 0, nil, .low),
            (0, 100, 100, 1, 3000, "2026-03-02T00:00:00Z", .low),
            (0, 100, 0, 1, 3000, "2026-03-01T00:00:00Z", .low),
            (0, 100, -5, 1, 3000, "2026-03-01T00:00:00Z", .low),
            (143, 7, 7, 6, 35, "2026-03-12T23:00:00Z", .low),
            (144, 7, 100, 7, 30, nil, .medium),
            (311, 13, 1000, 13, 30, nil, .medium),
            (312, 3, 1000, 14, 6, nil, .high),
            (0, 7, 203, 1, 210, "2026-03-30T00:00:00Z", .low),
            (0, 7, 210, 1, 210, nil, .low),
        ] as [(Int64, Int64, Int64, Int64, Int64, String?, UsageForecast.Confidence)])
    func aPeriodGoesOnLikeItsMeanDay(
        _ hours: Int64, _ used: Int64, _ available: Int64, _ elapsed: Int64, _ projected: Int64, _ end: String?,
        _ confidence: UsageForecast.Confidence
    ) throws {
        let start = try Self.time("2026-03-01T00:00:00Z")
        let forecast = try UsageForecast(
            now: start.adding(seconds: hours * 3600), periodStart: start,
            periodEnd: start.adding(seconds: 30 * 86_400), used: used, available: available, completeDays: [])
        #expect(forecast.elapsedDays == elapsed)
        #expect(forecast.periodDays == 30)
        #expect(forecast.projectedMicroCredits == projected)
        #expect(forecast.exhaustedAt?.rfc3339 == end)
        #expect(forecast.confidence == confidence)
    }

    @Test func aForecastThatDoesNotFitIsRefused() throws {
        let start = try Self.time("2026-03-01T00:00:00Z")
        #expect(throws: Refusal(.billingOverflow)) {
            try UsageForecast(
                now: start, periodStart: start, periodEnd: start.adding(seconds: 30 * 86_400), used: .max,
                available: .max, completeDays: [])
        }
    }

    // MARK: Shapes

    @Test func aSeriesShowsWhatItIsGroupedBy() throws {
        let request = try SeriesRequest.read(
            ["from": "2026-03-01T05:00:00Z", "to": "2026-03-03T00:00:00Z", "group_by": "model, user"],
            now: Events.now)
        var amounts = UsageAmounts()
        amounts.requests = 2
        amounts.input = 3
        amounts.reasoning = 4
        amounts.agentCalls = 1
        amounts.chargeMicroUSD = 5
        amounts.chargeMicroCredits = 500
        let windows = [
            UsageWindowDelta(
                granularity: .day, start: request.from, dimensions: UsageDimensions(model: "m", user: "u"),
                amounts: amounts)
        ]
        #expect(
            UsageShapes.series(request, windows) == [
                "granularity": "day", "from": "2026-03-01T00:00:00Z", "to": "2026-03-03T00:00:00Z",
                "buckets": [
                    [
                        "start": "2026-03-01T00:00:00Z", "window": "2026-03-01", "model": "m", "user": "u",
                        "requests": 2,
                        "tokens": [
                            "input": 3, "output": 0, "cache_read": 0, "cache_write": 0, "reasoning": 4, "total": 7,
                        ],
                        "agent_calls": 1, "agent_seconds": 0, "tasks": 0, "charge_micro_usd": 5,
                        "charge_micro_credits": 500,
                    ]
                ],
            ])
    }

    @Test func historyGoesOnWhereItEnded() throws {
        let event = try #require(Events.taken(Events.tokens(data: ["model": "new", "input": 5, "agent": "a"])))
        let prices = try Prices.read([], unknown: "quarantine")
        let amount = try event.rated(by: prices, markup: nil, creditValueMicroUSD: 10_000)
        let row = event.row(amount, receivedAt: Events.now)
        let shown = UsageShapes.history([row], hasMore: true)
        let cursor = try #require(shown["next_cursor"]?.stringValue)
        #expect(UsageCursor(text: cursor) == UsageCursor(at: event.at, source: "gw", id: "1"))
        #expect(UsageShapes.history([row], hasMore: false)["next_cursor"] == .null)
        let record = try #require(shown["records"]?.arrayValue?.first)
        #expect(record["quarantined"] == true)
        #expect(record["model"] == "new")
        #expect(record["agent"] == "a")
        #expect(record["user"] == nil)
        #expect(record["charge_micro_usd"] == 10)
        #expect(record["price_version"] == "7")
        for bad in ["", "x", "W10", cursor + "A", String(repeating: "A", count: 3000)] {
            #expect(UsageCursor(text: bad) == nil)
        }
    }
}
