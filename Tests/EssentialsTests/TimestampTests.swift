// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("2026-03-01T12:00:00Z", 1_772_366_400_000_000), ("2026-03-01T12:00:00.1234567Z", 1_772_366_400_123_456),
        ("2026-03-01T14:30:00+02:30", 1_772_366_400_000_000), ("1970-01-01T00:00:00Z", 0),
        ("2024-02-29T23:59:59-00:00", 1_709_251_199_000_000),
    ])
    func readsRFC3339(_ text: String, _ microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026-03-01", "2026-03-01T12:00:00", "2026-03-01T12:00Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-03-01T24:00:00Z", "2026-03-01T23:60:00Z", "2026-03-01T23:00:60Z", "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00+0200", "1969-12-31T23:59:59Z", "2026-03-01T12:00:00Zx", "２026-03-01T12:00:00Z",
    ])
    func refusesWhatIsNotRFC3339(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func formats() {
        let instant = Timestamp(microseconds: 1_772_366_400_000_042)
        #expect(instant.rfc3339 == "2026-03-01T12:00:00Z")
        #expect(instant.rfc3339Micros == "2026-03-01T12:00:00.000042Z")
        #expect(instant.compact == "20260301T120000Z")
        #expect(Timestamp.latest.rfc3339 == "9999-12-31T23:59:59Z")
    }

    @Test func everyInstantReadsBackAsItself() {
        let random = SeededRandom(seed: 3)
        for _ in 0..<5000 {
            let instant = Timestamp(microseconds: Int64(random.next() % UInt64(Timestamp.latest.microseconds)))
            #expect(Timestamp(rfc3339: instant.rfc3339Micros) == instant)
        }
    }

    @Test func saturatesInsteadOfOverflowing() {
        #expect(Timestamp(seconds: .max).microseconds == .max)
        #expect(Timestamp.latest.adding(seconds: .max).microseconds == .max)
    }

    @Test(arguments: [
        ("30s", Duration.seconds(30)), ("5m", .seconds(300)), ("24h", .seconds(86_400)), ("150ms", .milliseconds(150)),
    ])
    func readsDurations(_ text: String, _ duration: Duration) { #expect(DurationText.parse(text) == duration) }

    @Test(arguments: ["", "5", "-5s", "5 s", "5d", "1.5s", "99999999s", "s"])
    func refusesOtherDurations(_ text: String) { #expect(DurationText.parse(text) == nil) }

    @Test func readsPlainSecondsWhereASettingAllowsThem() {
        #expect(DurationText.parse("5", plainSeconds: true) == .seconds(5))
        #expect(DurationText.parse("5.0", plainSeconds: true) == .seconds(5))
        #expect(DurationText.parse("0.25", plainSeconds: true) == .milliseconds(250))
    }

    @Test func standsStillAtItsEnds() {
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(first.seconds == -9_223_372_036_855 && last.seconds == 9_223_372_036_854)
        #expect(first.milliseconds == -9_223_372_036_854_775)
        #expect([-1, -1_000_000, -1_000_001, 999_999].map { Timestamp(microseconds: $0).seconds } == [-1, -1, -2, 0])
        #expect(
            first.adding(seconds: -1) == first && first.adding(seconds: .min) == first && first.cutToSecond == first)
        #expect(last.adding(seconds: 1) == last && last.adding(seconds: .max) == last)
        #expect(first.rfc3339Micros == "0000-01-01T00:00:00.000000Z" && last.rfc3339 == "9999-12-31T23:59:59Z")
    }
}
