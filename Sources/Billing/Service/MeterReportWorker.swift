// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics

/// Tells the provider's meter what accounts were charged, in whole cents.
///
/// Identifier, value and watermark are stored before each call. Two workers that find the same report send the same call, and the provider
/// counts it once; so does a repeat after a crash.
package struct MeterReportWorker: Sendable {
    /// Reports of one account in one round: an old period's last, and the present one's first.
    private static let maximumReports = 3

    private let billing: BillingService
    private let provider: any PaymentProvider
    private let event: String
    private let logger: Logger
    private let results: [String: Counter]

    /// - Parameter event: the name of the provider's meter.
    package init(
        billing: BillingService, provider: any PaymentProvider, event: String, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.billing = billing
        self.provider = provider
        self.event = event
        self.logger = logger
        results = Dictionary(
            uniqueKeysWithValues: ["confirmed", "failed", "unconfirmed"].map { result in
                let counter = Counter(
                    label: "tollgate_stripe_meter_reports_total", dimensions: [("result", result)],
                    factory: metricsFactory)
                counter.increment(by: 0)
                return (result, counter)
            })
    }

    /// Reports what is due of an account.
    ///
    /// - Throws: `billing.unavailable`. What the provider refuses is counted and tried again in the next round.
    package func report(_ account: String) async throws(Refusal) {
        for _ in 0..<Self.maximumReports {
            guard let desk = try await prepare(account) else { return }
            do throws(Refusal) {
                try await provider.report(desk.report, event: event, customer: desk.customer)
            } catch {
                results["failed"]?.increment()
                logger.warning(
                    "metered use cannot be reported, it is tried again",
                    metadata: [
                        LogKeys.object: "\(desk.report.identifier)", LogKeys.code: "\(error.code.rawValue)",
                        LogKeys.error: "\(error.message)",
                    ])
                return
            }
            try await confirm(desk.report.identifier, account)
            results["confirmed"]?.increment()
        }
    }

    /// Stores what is next.
    ///
    /// - Returns: what is to be sent; nil = nothing.
    private func prepare(_ account: String) async throws(Refusal) -> MeterDesk? {
        // Most accounts have nothing to tell: they are only looked at.
        let isDue = try await billing.look(account) { work, reader in try Self.next(work, reader) != nil }
        guard isDue else { return nil }
        let step = try await billing.change(account, makes: false) { work, transaction -> MeterDesk.Step? in
            guard let step = try Self.next(work, transaction) else { return nil }
            try step.desk.store(in: transaction)
            return step
        }
        if let identifier = step?.gaveUp {
            results["unconfirmed"]?.increment()
            logger.error(
                "a meter report had no answer and is not repeated: look whether the provider counted it",
                metadata: [LogKeys.object: "\(identifier)"])
        }
        guard let step, step.isSent else { return nil }
        return step.desk
    }

    private static func next(_ work: AccountWork, _ reader: any BillingReader) throws -> MeterDesk.Step? {
        MeterDesk.next(
            try MeterDesk.stored(in: reader), book: work.book, standing: work.standing,
            customers: try reader.customers(), at: work.now)
    }

    private func confirm(_ identifier: String, _ account: String) async throws(Refusal) {
        try await billing.change(account, makes: false) { _, transaction in
            guard var desk = try MeterDesk.stored(in: transaction), desk.confirm(identifier) else { return }
            try desk.store(in: transaction)
        }
    }
}
