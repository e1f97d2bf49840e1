// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics

/// Goes over every account, a page at a time: counts them by state, has metered use reported, and has the provider asked where there was no
/// news for too long. Several workers may walk at once.
package struct AccountWalk: Sendable {
    private static let page = 200

    private let billing: BillingService
    private let meter: MeterReportWorker?
    private let reader: ProviderReadWorker?
    private let logger: Logger
    private let states: [SubscriptionState: Gauge]

    /// - Parameters:
    ///   - meter: nil = no use is reported.
    ///   - reader: nil = no provider is asked.
    package init(
        billing: BillingService, meter: MeterReportWorker?, reader: ProviderReadWorker?, logger: Logger,
        metricsFactory: any MetricsFactory
    ) {
        self.billing = billing
        self.meter = meter
        self.reader = reader
        self.logger = logger
        states = Dictionary(
            uniqueKeysWithValues: SubscriptionState.allCases.map { state in
                let gauge = Gauge(
                    label: "tollgate_billing_accounts", dimensions: [("state", state.rawValue)],
                    factory: metricsFactory)
                gauge.record(0)
                return (state, gauge)
            })
    }

    /// Goes over all of them once.
    ///
    /// - Returns: how many there are.
    /// - Throws: `billing.unavailable` when the store does not list them; what is wrong with a single account is logged, and the others are
    ///   gone over all the same.
    @discardableResult
    package func round() async throws(Refusal) -> Int64 {
        var counts: [SubscriptionState: Int64] = [:]
        var last: String?
        repeat {
            let rows: [AccountRow]
            do {
                rows = try await billing.ledger.accounts(after: last, limit: Self.page)
            } catch { throw billing.fault(error, "") }
            for row in rows where row.version > 0 {
                guard let state = await visit(row) else { continue }
                counts[state, default: 0] += 1
            }
            last = rows.count == Self.page ? rows.last?.account : nil
        } while last != nil && !Task.isCancelled
        guard !Task.isCancelled else { return 0 }
        for (state, gauge) in states { gauge.record(counts[state] ?? 0) }
        return counts.values.reduce(0, +)
    }

    /// - Returns: its state now; nil where it cannot be read.
    private func visit(_ row: AccountRow) async -> SubscriptionState? {
        do {
            let book = try AccountBook(row)
            let state = book.standing(at: billing.clock.now(), terms: billing.terms).state
            // Without a subscription of the provider there is nobody to ask or to tell.
            guard book.provider != nil else { return state }
            do throws(Refusal) {
                _ = try await reader?.read(book)
                try await meter?.report(row.account)
            } catch {
                warn(row.account, error)
            }
            return state
        } catch {
            warn(row.account, error)
            return nil
        }
    }

    private func warn(_ account: String, _ error: any Error) {
        logger.error(
            "an account is passed over", metadata: [LogKeys.object: "\(account)", LogKeys.error: "\(error)"])
    }
}
