// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct MeterReportTests {
    private static let now = Timestamp(seconds: 1_772_366_400)

    @Test func whatIsBelowACentIsCarried() {
        var report = MeterReport(account: "acme", period: Self.now)
        let hasTooLittle = report.prepare(charged: 9_999, at: Self.now)
        #expect(!hasTooLittle)
        #expect(report.number == 0)
        let hasFirst = report.prepare(charged: 25_000, at: Self.now)
        #expect(hasFirst)
        #expect(report.value == 2)
        #expect(report.identifier == "acme:\(Self.now.seconds):1")
        report.confirm()
        let hasTooLittleAgain = report.prepare(charged: 29_999, at: Self.now)
        #expect(!hasTooLittleAgain)
        let hasSecond = report.prepare(charged: 30_000, at: Self.now)
        #expect(hasSecond)
        #expect(report.value == 1)
        #expect(report.identifier == "acme:\(Self.now.seconds):2")
        report.confirm()
        let next = report.following(period: Self.now.adding(seconds: 100), charged: 37_000)
        #expect(next.carried == 7_000)
    }

    @Test func aReportWithoutAnAnswerIsRepeatedAsItIs() {
        var report = MeterReport(account: "acme", period: Self.now)
        let isPrepared = report.prepare(charged: 20_000, at: Self.now)
        #expect(isPrepared)
        let first = report
        let isStillPrepared = report.prepare(charged: 90_000, at: Self.now.adding(seconds: 60))
        #expect(isStillPrepared)
        #expect(report == first)
        let edge = Self.now.adding(seconds: 23 * 3600)
        let early = report.giveUp(at: edge.adding(seconds: -1))
        #expect(early == nil)
        let givenUp = report.giveUp(at: edge)
        #expect(givenUp == first.identifier)
        #expect(report.state == .unconfirmed)
        let hasNext = report.prepare(charged: 90_000, at: edge)
        #expect(hasNext)
        #expect(report.value == 7)
        #expect(report.unconfirmed == [first.identifier])
        #expect(MeterReport(json: report.json) == report)
    }

    @Test(arguments: 0..<20)
    func everyCentIsReportedOnce(_ seed: UInt64) {
        let random = SeededRandom(seed: seed)
        var report = MeterReport(account: "acme", period: Self.now)
        var charged: Int64 = 0
        var reported: Int64 = 0
        for _ in 0..<200 {
            charged += Int64(random.below(15_000))
            guard report.prepare(charged: charged, at: Self.now) else { continue }
            reported += report.value
            report.confirm()
        }
        #expect(reported == charged / 10_000)
        #expect(report.reportedCents == reported)
    }
}
