// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct CatalogueWarningTests {
    /// Keeps what is logged.
    private struct Lines: LogHandler {
        final class Kept: Sendable {
            private let lines = Mutex<[String]>([])

            func add(_ line: String) { lines.withLock { $0.append(line) } }

            var all: [String] { lines.withLock { $0 } }
        }

        let kept: Kept
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            kept.add("\(event.level): \(event.message) \(event.metadata?["reason"].map { "\($0)" } ?? "")")
        }
    }

    private static let pro = "price_1SoawKE8yr4fu4JjkHQA2Y2c"
    private let fake = StripeFake()
    private let lines = Lines.Kept()
    private let plans: PlanBook

    init() throws {
        plans = PlanBook(try BillingCatalogues(plansFile: nil, pricesFile: nil).plans)
        fake.change { state in
            for (id, cents) in [(Self.pro, Int64(5000)), ("price_1SoawKE8yr4fu4Jj7iDEjsk6", 19_900)] {
                state.prices[id] = [
                    "id": .string(id), "unit_amount": .int(cents), "currency": "usd",
                    "recurring": ["interval": "month", "interval_count": 1],
                ]
            }
        }
    }

    private func with(_ body: (CatalogueWarning) async throws -> Void) async throws {
        try await LoopbackHTTPServer.with({ fake.answer($0) }) { server in
            let kept = lines
            let logger = Logger(label: "test", factory: { _ in Lines(kept: kept) })
            let client = StripeClient(
                settings: try StripeSettings(base: server.url), key: { Redacted("sk_test_fake") },
                clock: ManualClock(), logger: Logger(label: "stripe", factory: { _ in SwiftLogNoOpLogHandler() }),
                metricsFactory: NOOPMetricsHandler.instance)
            try await body(CatalogueWarning(plans: plans, provider: client, logger: logger))
        }
    }

    @Test func warnsOnceForEachCatalogue() async throws {
        try await with { warning in
            await warning.look()
            await warning.look()
            #expect(
                lines.all == [
                    "warning: a price is not as the plan catalogue says plan pro: \(Self.pro) has amount 50000000, the catalogue says 49000000"
                ])
            let dearer = BuiltInPlans.plansYAML.replacing("priceMicroUSD: 49000000", with: "priceMicroUSD: 50000000")
            plans.replace(try CatalogueLoader.plans.parse(Array(dearer.utf8), name: "plans"))
            await warning.look()
            #expect(lines.all.count == 1)
        }
    }

    @Test func whatCannotBeComparedIsSaidOnceAndTriedAgain() async throws {
        fake.failing([StripeFake.error(401), StripeFake.error(401)])
        try await with { warning in
            await warning.look()
            #expect(lines.all == ["warning: the prices of the plan catalogue cannot be compared "])
            // One look is left out, the next fails as well, then two are.
            for _ in 0..<4 { await warning.look() }
            #expect(lines.all.count == 1)
            await warning.look()
            #expect(lines.all.count == 2 && lines.all[1].contains("has amount 50000000"))
        }
    }
}
