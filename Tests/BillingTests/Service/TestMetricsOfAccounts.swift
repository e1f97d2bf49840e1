// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics
internal import MetricsTestKit

/// What a walk showed.
struct TestMetricsOfAccounts {
    let factory = TestMetrics()

    /// Accounts of a state, as they were counted last.
    func count(_ state: String) throws -> Int {
        Int(try factory.expectGauge("tollgate_billing_accounts", [("state", state)]).lastValue ?? -1)
    }
}
