// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What settling without a hold came to.
package struct SettleAnswer: Sendable, Hashable {
    /// In micro-credits.
    package var outcome: UseOutcome
    /// Whether it was settled before, with the same key.
    package var isDuplicate: Bool
    package var remainingMicroCredits: Int64
}

extension BillingService {
    /// Records checked events of one account in one transaction: repeats are told, the others rated, settled and counted.
    ///
    /// - Returns: one result for each, in their order.
    /// - Throws: `billing.account_not_found`, `billing.unavailable`.
    package func record(_ candidates: [UsageCandidate], account: String) async throws(Refusal) -> [UsageResult] {
        try await record(candidates, account: account) { _, _, _ in }
    }

    /// The same, with what else belongs into the transaction.
    func record(
        _ candidates: [UsageCandidate], account: String,
        beside: @escaping @Sendable ([UsageResult], inout AccountWork, any BillingTransaction) throws -> Void
    ) async throws(Refusal) -> [UsageResult] {
        let (prices, dedup) = (prices.prices, settings.dedupWindow)
        let done = try await change(account) { work, transaction in
            let since = UsageIntake(account: account, now: work.now, dedupWindow: dedup).repeatsSince
            var recorder = UsageRecorder(work, transaction, prices: prices)
            let recorded = try transaction.usage(candidates.compactMap(\.key), since: since)
            let results = try UsageSorting.results(
                of: candidates,
                recorded: { source, id in recorded[UsageKey(source: source, id: id)]?.digest },
                apply: { event in try recorder.apply(event) })
            try recorder.writer.store()
            work = recorder.work
            work.admitted += recorder.writer.admitted
            try beside(results, &work, transaction)
            return (results: results, uncollected: recorder.uncollected, unknown: recorder.quarantined)
        }
        metrics.took(done.results)
        metrics.collectedLess(done.uncollected)
        for _ in 0..<done.unknown { metrics.unknownModel() }
        return done.results
    }

    /// Records tokens that were used.
    ///
    /// - Parameter key: the same key again is the same use.
    package func recordTokenUsage(
        account: String, model: String, counts: TokenCounts, at instant: Timestamp, key: String
    ) async throws(Refusal) -> UsageResult {
        let content = UsageEvent.Content.tokens(counts, model: model, provider: nil)
        return try await record(content, digest: "\(model) \(counts)", account: account, at: instant, key: key)
    }

    /// Records calls or run time of an agent.
    ///
    /// - Parameter key: the same key again is the same use.
    package func recordAgentUsage(
        account: String, agent: String, calls: Int64, seconds: Int64, at instant: Timestamp, key: String
    ) async throws(Refusal) -> UsageResult {
        let content = UsageEvent.Content.agent(agent, calls: calls, seconds: seconds)
        return try await record(
            content, digest: "\(agent) \(calls) \(seconds)", account: account, at: instant, key: key)
    }

    private func record(
        _ content: UsageEvent.Content, digest: String, account: String, at instant: Timestamp, key: String
    ) async throws(Refusal) -> UsageResult {
        let event = UsageEvent(
            source: "tollgate", id: key, digest: digest, account: account, at: instant, content: content)
        return try await record([UsageCandidate(event)], account: account)[0]
    }

    /// Settles credits that were used without a hold.
    ///
    /// - Parameter key: the same key again is the same use.
    package func settle(
        _ microCredits: Int64, subject: ChargeSubject = ChargeSubject(), account: String, key: String
    ) async throws(Refusal) -> SettleAnswer {
        let answer = try await change(account) { work, transaction in
            try work.settle(microCredits, subject, key: key, checks: nil, in: transaction)
        }
        if !answer.isDuplicate { metrics.collectedLess(answer.outcome.uncollected) }
        return answer
    }

    /// Charges a price at a decision: all of it or nothing.
    ///
    /// - Parameter key: the same key again is the same charge.
    /// - Throws: what `Eligibility` refuses.
    package func charge(
        _ microCredits: Int64, subject: ChargeSubject, account: String, key: String,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements()
    ) async throws(Refusal) -> SettleAnswer {
        do throws(Refusal) {
            let answer = try await change(account) { work, transaction in
                try work.settle(microCredits, subject, key: key, checks: requirements, in: transaction)
            }
            metrics.decided(.charge, code: nil)
            return answer
        } catch {
            metrics.decided(.charge, code: error.code.rawValue)
            throw error
        }
    }

    /// Counts tasks that begin.
    ///
    /// - Throws: what `Eligibility` refuses.
    package func takeTasks(
        _ count: Int64, account: String,
        requirements: EligibilityQuestion.Requirements = EligibilityQuestion.Requirements()
    ) async throws(Refusal) {
        do throws(Refusal) {
            try await change(account) { work, _ in
                try work.book.takeTasks(
                    count, requirements: requirements, standing: work.standing, terms: work.terms, into: &work.changes)
            }
            metrics.decided(.task, code: nil)
        } catch {
            metrics.decided(.task, code: error.code.rawValue)
            throw error
        }
    }
}

extension AccountWork {
    /// The source of uses that came with a key of their own instead of an event.
    private static var chargeSource: String { "charge" }

    /// Settles an amount once for its key.
    ///
    /// - Parameter checks: nil where it was used already.
    mutating func settle(
        _ microCredits: Int64, _ subject: ChargeSubject, key: String, checks: EligibilityQuestion.Requirements?,
        in transaction: any BillingTransaction
    ) throws -> SettleAnswer {
        let since = Timestamp(microseconds: 0)
        if let known = try transaction.usage(source: Self.chargeSource, id: key, since: since) {
            let paid = known.amounts.chargeMicroCredits - known.uncollectedMicroCredits
            return SettleAnswer(
                outcome: UseOutcome(
                    parts: [], charged: paid, overage: 0, uncollected: known.uncollectedMicroCredits),
                isDuplicate: true, remainingMicroCredits: book.spendable(for: nil, standing: standing))
        }
        let charge = Charge(microCredits: microCredits, creditValueMicroUSD: creditValue)
        let reference = "event:\(Self.chargeSource)/\(key)"
        let outcome: UseOutcome
        if let checks {
            outcome = try book.charge(
                EligibilityQuestion.TokenUse(subject: subject, charge: charge), requirements: checks,
                reference: reference, standing: standing, terms: terms, into: &changes)
        } else {
            outcome = book.use(charge, subject, at: now, reference: reference, standing: standing, into: &changes)
        }
        var amounts = UsageAmounts()
        amounts.requests = 1
        amounts.listMicroUSD = charge.listMicroUSD
        amounts.chargeMicroUSD = charge.chargeMicroUSD
        amounts.chargeMicroCredits = charge.microCredits
        var writer = UsageWriter(transaction, self)
        try writer.add(
            UsageRow(
                kind: "charge", source: Self.chargeSource, id: key, digest: "", at: now,
                receivedAt: changes.recordedAt,
                dimensions: UsageDimensions(
                    model: subject.model, agent: subject.agent, user: subject.user, project: subject.project),
                amounts: amounts, uncollectedMicroCredits: outcome.uncollected))
        try writer.store()
        admitted += writer.admitted
        return SettleAnswer(
            outcome: outcome, isDuplicate: false,
            remainingMicroCredits: book.spendable(for: nil, standing: standing))
    }
}
