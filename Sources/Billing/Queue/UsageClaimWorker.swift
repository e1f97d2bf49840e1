// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Logging
package import Metrics

/// Applies claims of usage: those that the queue names, and those that it does not. Effect and end of a claim are one transaction.
package struct UsageClaimWorker: Sendable {
    /// What became of a claim that was taken.
    private enum Fate: Sendable {
        /// It is no more.
        case ended
        /// It is tried again when the lease is over.
        case waits(reason: String)
        /// It is set aside.
        case dead(reason: String)
    }

    /// The most claims of one round.
    package static let batch = 256
    /// How long a claim is left to the queue before it is taken without it, in seconds.
    package static let patienceSeconds: Int64 = 5
    /// Accounts whose claims are applied at once.
    private static let accountsAtOnce = 8

    private let billing: BillingService
    private let queue: (any UsageQueue)?
    private let logger: Logger
    private let lag: Gauge
    private let dead: Counter

    /// - Parameter queue: where the claims are named as well; nil = they are looked for.
    package init(
        billing: BillingService, queue: (any UsageQueue)? = nil, logger: Logger, metricsFactory: any MetricsFactory
    ) {
        self.billing = billing
        self.queue = queue
        self.logger = logger
        lag = Gauge(label: "tollgate_usage_queue_lag_seconds", factory: metricsFactory)
        lag.record(0)
        dead = Counter(label: "tollgate_usage_dead_total", factory: metricsFactory)
        dead.increment(by: 0)
    }

    /// Applies claims that nobody has; where there is a queue, once they are old enough for it to have lost them.
    ///
    /// - Returns: whether there may be more.
    /// - Throws: `billing.unavailable`.
    package func sweep() async throws -> Bool {
        let now = billing.clock.now()
        let waiting = try await billing.ledger.pendingUsage()
        let age = waiting.oldest.map { max(0, now.microseconds - $0.microseconds) } ?? 0
        lag.record(Double(age) / 1_000_000)
        guard waiting.count > 0, queue == nil || age >= Self.patienceSeconds * 1_000_000 else { return false }
        let rows = try await take()
        let fates = await apply(rows)
        for row in rows {
            guard case .dead(let reason)? = fates[row.id] else { continue }
            await setAside(row, reason: reason)
        }
        return rows.count == Self.batch
    }

    /// Applies the claims that entries name.
    ///
    /// - Returns: one outcome for each, in their order. An entry whose claim is no more, or another's, is done: the claim is looked for
    ///   without it.
    package func apply(_ entries: [QueueEntry]) async -> [QueueWorker.Outcome] {
        let ids = entries.map { String(decoding: $0.payload, as: UTF8.self) }
        let rows: [PendingUsageRow]
        do {
            rows = try await take(ids)
        } catch {
            // Where the claims are there is nobody to ask: they are looked for when there is.
            return entries.map { _ in .applied }
        }
        let fates = await apply(rows)
        let payloads = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, $0.payload) })
        return ids.map { id in
            switch fates[id] {
            case .ended?, nil: .applied
            case .waits(let reason)?: .failed(reason: reason)
            case .dead(let reason)?: .dead(reason: reason, payload: Array((payloads[id] ?? "").utf8))
            }
        }
    }

    // MARK: - Taking

    private func take(limit: Int = batch) async throws -> [PendingUsageRow] {
        let now = billing.clock.now()
        return try await billing.ledger.takePending(
            at: now, leaseUntil: now.adding(seconds: UsageClaim.lease.wholeSeconds), limit: limit)
    }

    /// The oldest claims, which the oldest entries name, and then the others that are named.
    private func take(_ ids: [String]) async throws -> [PendingUsageRow] {
        var rows = try await take(limit: ids.count)
        let taken = Set(rows.map(\.id))
        let now = billing.clock.now()
        for id in Set(ids).subtracting(taken).sorted() {
            let row = try await billing.ledger.takePending(
                id: id, at: now, leaseUntil: now.adding(seconds: UsageClaim.lease.wholeSeconds))
            if let row { rows.append(row) }
        }
        return rows
    }

    // MARK: - Applying

    /// Applies what was taken, account by account.
    ///
    /// - Returns: what became of each, by its id.
    private func apply(_ rows: [PendingUsageRow]) async -> [String: Fate] {
        var accounts = Dictionary(grouping: rows, by: \.account)[...]
        return await withTaskGroup(of: [String: Fate].self) { group in
            var fates: [String: Fate] = [:]
            func begin() {
                guard let next = accounts.popFirst() else { return }
                group.addTask { await apply(next.value, account: next.key) }
            }
            for _ in 0..<Self.accountsAtOnce { begin() }
            for await some in group {
                fates.merge(some) { $1 }
                begin()
            }
            return fates
        }
    }

    private func apply(_ rows: [PendingUsageRow], account: String) async -> [String: Fate] {
        var fates: [String: Fate] = [:]
        var readable: [(row: PendingUsageRow, claim: UsageClaim)] = []
        for row in rows {
            // Workers that died with it have failed as well; those that died with its neighbours count too, so there is a second ten.
            guard row.attempts <= 2 * UsageClaim.maximumAttempts else {
                fates[row.id] = await failed(row, reason: "handed out \(row.attempts - 1) times without an end")
                continue
            }
            do throws(BillingStoreError) {
                readable.append((row, try UsageClaim(row)))
            } catch {
                fates[row.id] = await failed(row, reason: error.code.rawValue)
            }
        }
        guard !readable.isEmpty else { return fates }
        guard let reason = await ends(readable.map(\.claim), account, &fates) else { return fates }
        guard readable.count > 1 else {
            fates[readable[0].row.id] = await failed(readable[0].row, reason: reason)
            return fates
        }
        // One of them may keep the others: each for itself then, until two in a row show that it is not them.
        var failures = 0
        for (row, claim) in readable {
            guard failures < 2 else {
                fates[row.id] = .waits(reason: reason)
                continue
            }
            let fault = await ends([claim], account, &fates)
            failures = fault == nil ? 0 : failures + 1
            if let fault { fates[row.id] = await failed(row, reason: fault) }
        }
        return fates
    }

    /// - Returns: why they are still there; nil where they are not.
    private func ends(_ claims: [UsageClaim], _ account: String, _ fates: inout [String: Fate]) async -> String? {
        do throws(Refusal) {
            for (claim, result) in zip(claims, try await billing.apply(claims, account: account)) {
                fates[claim.id] = .ended
                if case .rejected(let refusal) = result.outcome {
                    fates[claim.id] = .dead(reason: refusal.code.rawValue)
                    count(claim.id, refusal.code.rawValue)
                }
            }
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    /// A claim that failed: set aside in the database where that was too often.
    private func failed(_ row: PendingUsageRow, reason: String) async -> Fate {
        guard row.attempts >= UsageClaim.maximumAttempts else { return .waits(reason: reason) }
        do throws(Refusal) {
            try await billing.bury(row, reason: reason)
            count(row.id, reason)
            return .dead(reason: reason)
        } catch {
            return .waits(reason: reason)
        }
    }

    private func count(_ id: String, _ reason: String) {
        dead.increment()
        logger.error(
            "acknowledged usage cannot be applied and is set aside",
            metadata: ["claim": "\(id)", LogKeys.reason: "\(reason)"])
    }

    /// Shows a claim that no entry named among the dead of the queue.
    private func setAside(_ row: PendingUsageRow, reason: String) async {
        guard let queue else { return }
        do throws(QueueError) {
            let payload = Array(row.payload.utf8)
            let id = try await queue.add(payload)
            try await queue.bury(QueueEntry(id: id, payload: payload, deliveries: Int(row.attempts)), reason: reason)
        } catch {
            logger.debug("the queue is away: what is set aside is in the database alone")
        }
    }
}
