// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A place that was taken, or was had before.
package struct SlotAnswer: Sendable, Hashable {
    package let slot: Slot
    /// Whether it was taken now.
    package let isNew: Bool
    package let used: Int64
    /// −1 = no limit.
    package let limit: Int64
    package let chargedMicroCredits: Int64
    package let remainingMicroCredits: Int64

    /// 201 where it is new, else 200.
    package var status: Int { isNew ? 201 : 200 }

    /// `{kind, id, state, slots_used, slots_limit, charged_micro_credits, remaining_micro_credits}`
    package var json: JSONValue {
        [
            "kind": .string(slot.kind.rawValue), "id": .string(slot.id), "state": .string(slot.state.rawValue),
            "premium": .bool(slot.isPremium), "taken_at": .string(slot.takenAt.rfc3339), "slots_used": .int(used),
            "slots_limit": .int(limit), "charged_micro_credits": .int(chargedMicroCredits),
            "remaining_micro_credits": .int(remainingMicroCredits),
        ]
    }
}

extension PlanLimits {
    /// How many places of a kind there may be; nil = no limit.
    package func slots(_ kind: SlotRow.Kind) -> Int64? {
        switch kind {
        case .agent: agentSlots.max
        case .worker: workers
        case .workspace: workspaces
        }
    }
}

extension BillingService {
    /// Takes a place: check and act are one transaction.
    ///
    /// - Throws: what `Eligibility` refuses.
    package func take(
        _ request: SlotRequest, account: String, actor: String = "system"
    ) async throws(Refusal) -> SlotAnswer {
        let prices = prices.prices
        do throws(Refusal) {
            let answer = try await change(account, actor: actor) { work, transaction in
                let known = try transaction.slot(request.kind, id: request.id).map { try Slot($0) }
                let isPremium = request.isPremium || (request.kind == .agent && prices.agent(request.id).isPremium)
                let taken = try work.book.take(
                    request.kind, id: request.id, isPremium: isPremium, known: known, standing: work.standing,
                    terms: work.terms, into: &work.changes)
                return SlotAnswer(
                    slot: taken.slot, isNew: taken.isNew, used: work.book.counters.slots(request.kind),
                    limit: work.standing.limits.slots(request.kind) ?? -1,
                    chargedMicroCredits: taken.isNew ? taken.slot.chargedMicroCredits : 0,
                    remainingMicroCredits: work.book.spendable(for: nil, standing: work.standing))
            }
            metrics.decided(request.kind == .agent ? .hire : .slot, code: nil)
            return answer
        } catch {
            metrics.decided(request.kind == .agent ? .hire : .slot, code: error.code.rawValue)
            throw error
        }
    }

    /// Gives a place back; one that is not taken is given back already.
    package func release(_ kind: SlotRow.Kind, id: String, account: String) async throws(Refusal) {
        try await change(account) { work, transaction in
            guard let row = try transaction.slot(kind, id: id) else { return }
            work.book.release(try Slot(row), into: &work.changes)
        }
    }
}
