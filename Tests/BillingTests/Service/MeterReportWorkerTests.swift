// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct MeterReportWorkerTests {
    private let world: ProviderDesk
    private let metrics = TestMetrics()

    init() throws { world = try ProviderDesk() }

    private var worker: MeterReportWorker {
        MeterReportWorker(
            billing: world.desk.service, provider: world.provider, event: "tokens_used", logger: ProviderDesk.logger,
            metricsFactory: metrics)
    }

    private func count(_ result: String) throws -> Int64 {
        try metrics.expectCounter("tollgate_stripe_meter_reports_total", [("result", result)]).totalValue
    }

    private func desk(_ account: String = "acme") async throws -> MeterDesk? {
        try await world.desk.service.meterDesk(account)
    }

    @Test func wholeCentsAreReportedHourlyAndTheRestIsCarried() async throws {
        try await world.subscribe("acme")
        try await world.use("acme", microUSD: 25_500, id: "1")
        let period = world.clock.now()
        try await worker.report("acme")
        let first = try #require(world.provider.known.reports.first)
        #expect(first.identifier == "acme:\(period.seconds):1" && first.value == 2)
        #expect(first.customer == "cus_acme" && first.event == "tokens_used")
        try await world.use("acme", microUSD: 9_000, id: "2")
        world.clock.advance(seconds: 3599)
        try await worker.report("acme")
        #expect(world.provider.known.reports.count == 1)
        world.clock.advance(seconds: 1)
        try await worker.report("acme")
        #expect(world.provider.known.reports.map(\.value) == [2, 1])
        #expect(world.provider.known.reports.last?.identifier == "acme:\(period.seconds):2")
        #expect(try count("confirmed") == 2)
        #expect(try count("failed") == 0)
        #expect(try await desk()?.report.reportedCents == 3)
        #expect(try await desk()?.report.state == .idle)
    }

    @Test func aRepeatIsTheSameCall() async throws {
        try await world.subscribe("acme")
        try await world.use("acme", microUSD: 30_000, id: "1")
        world.provider.set { $0.losesAnswers = true }
        try await worker.report("acme")
        // What is used meanwhile does not change what was written.
        try await world.use("acme", microUSD: 50_000, id: "2")
        world.clock.advance(seconds: 7200)
        try await worker.report("acme")
        world.provider.set { $0.losesAnswers = false }
        try await worker.report("acme")
        let reports = world.provider.known.reports
        #expect(reports.prefix(3).map(\.value) == [3, 3, 3])
        #expect(Set(reports.prefix(3).map(\.identifier)).count == 1)
        // Then what came since: the hour has long passed.
        #expect(reports.count == 4 && reports[3].value == 5)
        #expect(world.provider.counted == 8)
        #expect(try count("failed") == 2)
        #expect(try count("confirmed") == 2)
    }

    @Test func itIsWrittenBeforeTheCall() async throws {
        try await world.subscribe("acme")
        try await world.use("acme", microUSD: 30_000, id: "1")
        world.provider.set { $0.isAway = true }
        try await worker.report("acme")
        let written = try #require(try await desk())
        #expect(written.report.state == .pending && written.report.value == 3 && written.report.reportedCents == 3)
        #expect(written.shown["identifier"]?.stringValue == written.report.identifier)
        #expect(world.provider.known.reports.isEmpty)
    }

    @Test func withoutAnAnswerForADayItIsListedAndNotRepeated() async throws {
        try await world.subscribe("acme")
        try await world.use("acme", microUSD: 30_000, id: "1")
        world.provider.set { $0.losesAnswers = true }
        try await worker.report("acme")
        let lost = try #require(world.provider.known.reports.first).identifier
        world.clock.advance(seconds: 23 * 3600 - 1)
        try await worker.report("acme")
        #expect(world.provider.known.reports.map(\.identifier) == [lost, lost])
        world.clock.advance(seconds: 1)
        try await world.use("acme", microUSD: 20_000, id: "2")
        world.provider.set { $0.losesAnswers = false }
        try await worker.report("acme")
        #expect(world.provider.known.reports.count == 3)
        #expect(world.provider.known.reports.last?.value == 2)
        #expect(world.provider.known.reports.last?.identifier != lost)
        #expect(try await desk()?.shown["unconfirmed"] == [.string(lost)])
        #expect(try count("unconfirmed") == 1)
    }

    @Test func aPeriodThatIsOverIsToldToItsLastCent() async throws {
        try await world.subscribe("acme", days: 30)
        let start = world.clock.now()
        try await world.use("acme", microUSD: 15_000, id: "1")
        try await worker.report("acme")
        try await world.use("acme", microUSD: 18_000, id: "2")
        world.clock.advance(seconds: 30 * 86_400)
        try await world.subscribe("acme", days: 30)
        let next = world.clock.now()
        try await world.use("acme", microUSD: 8_000, id: "3")
        try await worker.report("acme")
        // 33 000 in all: three cents, 3000 are carried; with 8000 they are one more.
        #expect(world.provider.known.reports.map(\.value) == [1, 2, 1])
        #expect(
            world.provider.known.reports.map(\.identifier) == [
                "acme:\(start.seconds):1", "acme:\(start.seconds):2", "acme:\(next.seconds):3",
            ])
        #expect(try await desk()?.report.carried == 3_000)
    }

    @Test func onlyWhatASubscriptionOfTheProviderPaysForIsTold() async throws {
        try await world.use("free", microUSD: 200_000, id: "1")
        try await worker.report("free")
        #expect(try await desk("free") == nil && world.provider.known.reports.isEmpty)
        try await world.subscribe("free")
        try await world.use("free", microUSD: 20_000, id: "2")
        try await worker.report("free")
        #expect(world.provider.known.reports.map(\.value) == [2])
        // The end of the subscription is the end of metering, after the last cent.
        try await world.use("free", microUSD: 10_000, id: "3")
        let now = world.clock.now()
        _ = try await world.events.take(
            ProviderDesk.event("gone", "free", "sub_1", status: "canceled", at: now.adding(seconds: 1), end: now))
        try await world.use("free", microUSD: 90_000, id: "4")
        try await worker.report("free")
        world.clock.advance(seconds: 7200)
        try await worker.report("free")
        #expect(world.provider.known.reports.map(\.value) == [2, 1])
    }

    @Test(arguments: 0..<10)
    func everyCentIsCountedOnceWhateverIsLost(_ seed: UInt64) async throws {
        let random = SeededRandom(seed: seed)
        try await world.subscribe("acme", days: 3)
        var used: Int64 = 0
        for step in 0..<120 {
            world.clock.advance(seconds: Int64(random.below(5400)))
            if step % 40 == 39 { try await world.subscribe("acme", days: 3) }
            let amount = Int64(random.below(10_000)) * 3
            used += amount
            try await world.use("acme", microUSD: amount, id: "\(step)")
            world.provider.set { state in
                state.isAway = random.below(3) == 0
                state.losesAnswers = random.below(3) == 0
            }
            // Two workers, or one that was started again.
            for _ in 0..<(1 + random.below(2)) { try await worker.report("acme") }
        }
        world.provider.set { state in
            state.isAway = false
            state.losesAnswers = false
        }
        world.clock.advance(seconds: 3600)
        try await worker.report("acme")
        world.clock.advance(seconds: 3600)
        try await worker.report("acme")
        let values = Dictionary(grouping: world.provider.known.reports, by: \.identifier).values
        for reports in values { #expect(Set(reports.map(\.value)).count == 1) }
        #expect(world.provider.counted == used / 10_000)
    }
}
