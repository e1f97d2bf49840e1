// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Forgets once a day what is over, in batches. Several workers may do it at once: rows that one of them is forgetting are passed over by
/// the others.
package final class RetentionWorker: Sendable {
    /// Most rows of each kind in one batch.
    static let batch = 1000
    private static let pauseSeconds: Int64 = 86_400

    private let ledger: any BillingLedger
    private let dedupWindow: Duration
    private let clock: any WallClock
    /// When the next round begins; nil = at once.
    private let next = Mutex<Timestamp?>(nil)

    package init(ledger: any BillingLedger, dedupWindow: Duration, clock: any WallClock) {
        self.ledger = ledger
        self.dedupWindow = dedupWindow
        self.clock = clock
    }

    /// Forgets one batch, where a round is due. A round that failed goes on with the next call.
    ///
    /// - Returns: whether there may be more to forget now.
    /// - Throws: `BillingStoreError`.
    package func step() async throws -> Bool {
        let now = clock.now()
        guard next.withLock({ $0.map { $0 <= now } ?? true }) else { return false }
        let limits = BillingRetention(at: now, dedupWindow: dedupWindow)
        if try await ledger.prune(limits, limit: Self.batch) { return true }
        next.withLock { $0 = now.adding(seconds: Self.pauseSeconds) }
        return false
    }
}
