// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BillingService {
    /// Checks and takes what a request takes, in one transaction. Nothing is taken with a refusal; the same key again takes nothing more and is
    /// the same answer.
    ///
    /// - Parameter actor: who the ledger names.
    /// - Throws: what `Eligibility` refuses; `request.idempotency_mismatch` for another request with the same key, `billing.overflow`,
    ///   `billing.too_many_reservations`.
    package func meter(
        _ request: MeteredRequest, account: String, actor: String = "system"
    ) async throws(Refusal) -> MeteredAnswer {
        let (id, prices, digest) = (UUIDv7.make(at: clock.now()), prices.prices, request.digest)
        let answer = try await change(account, actor: actor) { work, transaction in
            if let row = try transaction.reservation(key: request.key) {
                let known = try work.changes.reservations.last { $0.id == row.id } ?? Reservation(row)
                guard known.digest == digest else { throw Refusal(.requestIdempotencyMismatch) }
                return (work.answer(known, needed: known.estimate.microCredits + known.feeMicroCredits), isNew: false)
            }
            let (answer, taken) = try work.meter(request, id: id, digest: digest, prices: prices)
            if let fee = taken?.fee, let taken {
                try work.record(fee, of: taken, isUndone: false, in: transaction)
            }
            return (answer, isNew: taken?.state == .open)
        }
        if answer.isNew { metrics.became(.open) }
        return answer.0
    }

    /// What `meter` would answer now; nothing is taken.
    package func previewMetering(
        _ request: MeteredRequest, account: String
    ) async throws(Refusal) -> MeteredAnswer {
        let prices = prices.prices
        return try await look(account) { work, _ in
            var work = work
            var answer = try work.meter(request, id: "preview", digest: "", prices: prices).0
            (answer.reservation, answer.charged, answer.countedTasks) = (nil, 0, 0)
            return answer
        }
    }

    /// Undoes what was taken for a request and frees its key; repeatable. A hold that was settled since stays as it is.
    package func takeBack(key: String, account: String, actor: String = "system") async throws(Refusal) {
        let isUndone = try await change(account, actor: actor, makes: false) { work, transaction in
            guard let row = try transaction.reservation(key: key) else { return false }
            var taken = try work.changes.reservations.last { $0.id == row.id } ?? Reservation(row)
            let fee = taken.fee
            let gone = (fee?.parts ?? []).filter { part in !work.book.grants.contains { $0.id == part.grant } }
            let spent = try gone.compactMap { try transaction.grant(id: $0.grant).map { try Grant($0) } }
            guard
                try work.book.takeBack(&taken, spent: spent, standing: work.standing, into: &work.changes)
            else { return false }
            if let fee { try work.record(fee, of: taken, isUndone: true, in: transaction) }
            return true
        }
        if isUndone { metrics.became(.released) }
    }
}

extension AccountWork {
    /// Takes what a request takes.
    ///
    /// - Returns: the answer, and the reservation that keeps what was taken.
    fileprivate mutating func meter(
        _ request: MeteredRequest, id: String, digest: String, prices: PriceList
    ) throws -> (MeteredAnswer, Reservation?) {
        let action = try action(request, prices: prices)
        let order = DecisionOrder(
            id: id, key: request.key, digest: digest, action: action, requirements: request.requirements,
            fee: Charge(microCredits: request.feeMicroCredits, creditValueMicroUSD: creditValue),
            subject: ChargeSubject(
                agent: request.agent ?? "", user: request.user ?? "", project: request.project ?? ""))
        let needed = price(of: action).addingSaturated(request.feeMicroCredits)
        let taken = try book.decide(order, standing: standing, terms: terms, into: &changes)
        return (answer(taken, needed: needed), taken)
    }

    private func action(_ request: MeteredRequest, prices: PriceList) throws -> EligibilityQuestion.Action {
        switch request.action {
        case .tokens(let amount):
            return .tokens(
                try tokenUse(
                    amount, user: request.user, project: request.project, agent: request.agent, prices: prices))
        case let other?:
            return try action(EligibilityRequest(action: other), prices: prices, transaction)
        case nil: return .nothing
        }
    }

    private func price(of action: EligibilityQuestion.Action) -> Int64 {
        switch action {
        case .tokens(let use): return use.charge?.microCredits ?? 0
        case .hire:
            let slots = standing.limits.agentSlots
            return slots.included.map { book.counters.agents < $0 } ?? true ? 0 : slots.extraPrice
        case .task, .slot, .nothing: return 0
        }
    }

    fileprivate func answer(_ taken: Reservation?, needed: Int64) -> MeteredAnswer {
        MeteredAnswer(
            plan: standing.plan.name, remaining: book.spendable(for: nil, standing: standing), needed: needed,
            reservation: taken.flatMap { $0.ttlSeconds > 0 ? $0 : nil }, charged: taken?.feeMicroCredits ?? 0,
            countedTasks: taken?.fee?.tasks ?? 0)
    }

    /// Records what a decision took at once as usage of its time, or that it was undone.
    fileprivate mutating func record(
        _ fee: Reservation.Fee, of taken: Reservation, isUndone: Bool, in transaction: any BillingTransaction
    ) throws {
        let sign: Int64 = isUndone ? -1 : 1
        var amounts = UsageAmounts()
        // A call that holds tokens is counted as a request when it is committed.
        amounts.requests = taken.ttlSeconds > 0 ? 0 : sign
        amounts.tasks = sign * fee.tasks
        amounts.listMicroUSD = sign * fee.charge.listMicroUSD
        amounts.chargeMicroUSD = sign * fee.charge.chargeMicroUSD
        amounts.chargeMicroCredits = sign * fee.charge.microCredits
        let subject = taken.subject
        var writer = UsageWriter(transaction, self)
        try writer.add(
            UsageRow(
                kind: fee.tasks > 0 ? "task" : "charge", source: "decision",
                id: isUndone ? "\(taken.id)/returned" : taken.id, digest: "", at: fee.at,
                receivedAt: changes.recordedAt,
                dimensions: UsageDimensions(agent: subject.agent, user: subject.user, project: subject.project),
                amounts: amounts, reservation: taken.id))
        try writer.store()
        admitted += writer.admitted
    }
}

extension Reservation {
    /// What was charged at once, in micro-credits.
    fileprivate var feeMicroCredits: Int64 { fee?.charge.microCredits ?? 0 }
}
