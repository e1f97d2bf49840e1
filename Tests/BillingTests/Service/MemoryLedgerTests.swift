// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import TestSupport
internal import Testing

/// The ledger in memory, which stands in for a database in other tests, does what every ledger must do.
@Suite struct MemoryLedgerTests {
    @Test(arguments: BillingLedgerContract.behaviours)
    func keepsTheContract(_ behaviour: BillingLedgerContract.Behaviour) async throws {
        try await BillingLedgerContract.check(behaviour, on: MemoryLedgerHost())
    }
}

/// One ledger for all: processes that share a database see the same rows.
private struct MemoryLedgerHost: BillingLedgerHost {
    func withLedgers(_ count: Int, _ body: @Sendable ([any BillingLedger]) async throws -> Void) async throws {
        let ledger = MemoryBillingLedger()
        try await body(Array(repeating: ledger, count: count))
    }
}
