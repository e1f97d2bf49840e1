// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging

/// Takes checked events where another process applies them: each is a claim in the database before it is acknowledged, and then an entry of
/// the queue, where there is one.
///
/// A queue that is away loses nothing: workers look for claims without it too.
package struct UsageClaims: Sendable {
    private let billing: BillingService
    private let queue: (any UsageQueue)?
    private let logger: Logger

    /// - Parameter queue: tells workers of new claims at once; nil = they look for them.
    package init(billing: BillingService, queue: (any UsageQueue)?, logger: Logger) {
        self.billing = billing
        self.queue = queue
        self.logger = logger
    }

    /// Checks events of one account as far as it can be known before they are applied, and claims what is left.
    ///
    /// - Returns: one result for each, in their order; what was accepted is durable and not rated yet. A repeat of what was applied, or waits,
    ///   is told.
    /// - Throws: `billing.account_not_found`, `billing.unavailable`.
    package func take(_ candidates: [UsageCandidate], account: String) async throws(Refusal) -> [UsageResult] {
        let now = billing.clock.now()
        var (results, claims) = try await look(at: candidates, account: account, now: now)
        let waiting: [String: String]
        do {
            waiting = try await billing.ledger.addPending(claims.map { $0.row(receivedAt: now) })
        } catch { throw billing.fault(error, account) }
        if !waiting.isEmpty {
            let repeats = Dictionary(uniqueKeysWithValues: claims.map { ($0.key, $0) })
            for (index, result) in results.enumerated() {
                guard case .accepted = result.outcome, let source = result.source, let id = result.id,
                    let claim = repeats[UsageKey(source: source, id: id)], let payload = waiting[claim.id]
                else { continue }
                results[index].outcome = .duplicate(conflict: Self.conflicts(claim.event, with: payload))
            }
            claims.removeAll { waiting[$0.id] != nil }
        }
        await tell(of: claims)
        // What is accepted is counted where it is applied.
        billing.metrics.took(results.filter { $0.status != "accepted" })
        return results
    }

    private func look(
        at candidates: [UsageCandidate], account: String, now: Timestamp
    ) async throws(Refusal) -> ([UsageResult], [UsageClaim]) {
        let (prices, dedup) = (billing.prices.prices, billing.settings.dedupWindow)
        let since = UsageIntake(account: account, now: now, dedupWindow: dedup).repeatsSince
        let keys = candidates.compactMap(\.key)
        return try await billing.look(account) { work, reader in
            let recorded = try reader.usage(keys, since: since)
            var claims: [UsageClaim] = []
            let results = UsageSorting.results(
                of: candidates, recorded: { recorded[UsageKey(source: $0, id: $1)]?.digest },
                apply: { event in
                    do throws(Refusal) {
                        _ = try event.rated(by: prices, markup: work.markup, creditValueMicroUSD: work.creditValue)
                    } catch {
                        return .failure(error)
                    }
                    claims.append(UsageClaim(event: event))
                    return .success(nil)
                })
            return (results, claims)
        }
    }

    /// - Parameter payload: of the claim that was first; empty where it was applied meanwhile.
    private static func conflicts(_ event: UsageEvent, with payload: String) -> Bool {
        // What cannot be read is told by whoever applies it.
        guard let first = try? UsageEvent(document: payload) else { return false }
        return first.digest != event.digest
    }

    private func tell(of claims: [UsageClaim]) async {
        guard let queue, !claims.isEmpty else { return }
        do throws(QueueError) {
            try await queue.add(claims.map { Array($0.id.utf8) })
        } catch {
            logger.debug(
                "usage waits in the database: the queue is away",
                metadata: ["claims": "\(claims.count)", LogKeys.error: "\(error)"])
        }
    }
}
