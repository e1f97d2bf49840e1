// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Logging

/// Compares the prices of the plan catalogue with those at the payment provider, once for each catalogue that is in force, and warns. It stops
/// nothing.
actor CatalogueWarning {
    private let plans: PlanBook
    private let provider: any PaymentProvider
    private let logger: Logger
    /// The catalogue that was compared last.
    private var compared: PlanCatalogue?
    private var hasFailed = false
    /// Looks that are left out after failures: twice as many each time, up to about an hour.
    private var (pause, left) = (1, 0)
    private static let longestPause = 64

    init(plans: PlanBook, provider: any PaymentProvider, logger: Logger) {
        self.plans = plans
        self.provider = provider
        self.logger = logger
    }

    /// Compares, where the catalogue in force is another than the one that was compared last.
    func look() async {
        let catalogue = plans.catalogue
        guard catalogue != compared, CatalogueCheck.count(catalogue) > 0 else { return }
        guard left == 0 else {
            left -= 1
            return
        }
        do throws(Refusal) {
            for difference in try await CatalogueCheck.differences(catalogue, at: provider) {
                logger.warning(
                    "a price is not as the plan catalogue says", metadata: [LogKeys.reason: "\(difference)"])
            }
            compared = catalogue
            hasFailed = false
            pause = 1
        } catch {
            // It is tried again; said once.
            if !hasFailed {
                logger.warning(
                    "the prices of the plan catalogue cannot be compared",
                    metadata: [LogKeys.code: "\(error.code.rawValue)", LogKeys.error: "\(error.message)"])
            }
            hasFailed = true
            left = pause
            pause = min(Self.longestPause, pause * 2)
        }
    }
}
