// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// A random history of one account, with everything that a ledger can be checked against.
struct BookHistory {
    let random: SeededRandom
    let terms: BillingTerms
    var book: AccountBook
    var now: Timestamp
    var reservations: [String: Reservation] = [:]
    var slots: [String: Slot] = [:]
    var grants: [String: Grant] = [:]
    var sums: [LedgerEntry.Bucket: Int64] = [:]
    var entries = 0
    private var count = 0

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        let name = seed % 2 == 0 ? "plans.yaml" : "plans-five-tier.yaml"
        terms = try Catalogues.terms(name)
        now = Timestamp(seconds: 1_767_225_600 + Int64(seed % 1000) * 3600)
        book = AccountBook(account: "acme", at: now)
    }

    private func below(_ bound: Int64) -> Int64 { Int64(random.below(Int(bound))) }

    /// Takes one random step; a refusal is one, too.
    mutating func step() throws {
        now = now.adding(seconds: random.below(20) == 0 ? below(40 * 86_400) : below(400))
        var changes = AccountChanges(recordedAt: now)
        let ended = reservations.values.filter { $0.state == .open && $0.expiresAt <= now }
        let next = reservations.values.filter { $0.state == .open && $0.expiresAt > now }.map(\.expiresAt).min()
        let agents = slots.values.filter { $0.kind == .agent }
        let standing = book.advance(
            to: now, AdvanceInput(ended: ended, nextEnd: next, agents: agents), terms: terms, into: &changes)
        try absorb(changes)
        changes = AccountChanges(recordedAt: now)
        do throws(Refusal) {
            try act(standing, &changes)
        } catch {
            #expect((402...429).contains(error.status))
        }
        try absorb(changes)
    }

    private mutating func act(_ standing: Standing, _ changes: inout AccountChanges) throws(Refusal) {
        count += 1
        switch random.below(19) {
        case 0, 1: try grant(standing, &changes)
        case 2:
            if let id = book.grants.map(\.id).sorted().first { _ = book.void(grant: id, into: &changes) }
        case 3, 4, 5: try reserve(standing, &changes)
        case 6, 7:
            guard var known = known() else { return }
            let used = charge(known.used.microCredits + below(200_000_000))
            _ = try book.increment(
                &known, used: used, size: random.below(2) == 0 ? nil : below(300_000_000), standing: standing,
                terms: terms, into: &changes)
        case 8, 9:
            guard var known = known() else { return }
            let total = charge(known.used.microCredits + below(300_000_000))
            _ = try book.commit(&known, total: total, standing: standing, into: &changes)
        case 10:
            guard var known = known() else { return }
            try book.release(&known, into: &changes)
        case 11, 12:
            _ = book.use(
                charge(below(400_000_000)), ChargeSubject(user: "u\(below(3))"), at: now, reference: "event:x/\(count)",
                standing: standing, into: &changes)
        case 13: try slot(standing, &changes)
        case 14: subscribe(&changes)
        case 15, 16: try decide(standing, &changes)
        case 17:
            guard var known = known() else { return }
            let parts = known.fee?.parts ?? []
            let spent = parts.compactMap { grants[$0.grant] }
            _ = try book.takeBack(&known, spent: spent, standing: standing, into: &changes)
        default: try budget(&changes)
        }
    }

    private func charge(_ microCredits: Int64) -> Charge {
        Charge(microCredits: microCredits, creditValueMicroUSD: 10_000)
    }

    private func known() -> Reservation? {
        let ids = reservations.keys.sorted()
        return ids.isEmpty ? nil : reservations[ids[random.below(ids.count)]]
    }

    private mutating func grant(_ standing: Standing, _ changes: inout AccountChanges) throws(Refusal) {
        let sources = GrantSource.allCases
        let grant = Grant(
            id: "g\(count)", key: "k\(count)", digest: "", microCredits: 1 + below(900_000_000),
            source: sources[random.below(sources.count)], createdAt: now,
            effectiveAt: random.below(6) == 0 ? now.adding(seconds: below(86_400)) : now,
            expiresAt: random.below(2) == 0 ? nil : now.adding(seconds: 86_401 + below(20 * 86_400)), reason: "law",
            features: random.below(5) == 0 ? ["tokens"] : [])
        try book.grant(grant, standing: standing, into: &changes)
    }

    private mutating func reserve(_ standing: Standing, _ changes: inout AccountChanges) throws(Refusal) {
        let purpose: SpendPurpose = random.below(2) == 0 ? .other : .tokens(model: "m")
        let subject = ChargeSubject(purpose: purpose, user: "u\(below(3))")
        let use = EligibilityQuestion.TokenUse(subject: subject, charge: charge(below(300_000_000)))
        let request = HoldRequest(
            id: "r\(count)", key: "r\(count)", digest: "", ttlSeconds: 10 + below(3000), use: use)
        _ = try book.reserve(request, standing: standing, terms: terms, into: &changes)
    }

    private mutating func decide(_ standing: Standing, _ changes: inout AccountChanges) throws(Refusal) {
        let use = EligibilityQuestion.TokenUse(
            subject: ChargeSubject(purpose: .tokens(model: "m"), user: "u1"), charge: charge(below(200_000_000)))
        let actions: [EligibilityQuestion.Action] = [
            .tokens(use), .task(count: 1 + below(3)), .hire(isPremium: false, isHired: false), .nothing,
        ]
        let order = DecisionOrder(
            id: "d\(count)", key: "d\(count)", digest: "", action: actions[random.below(actions.count)],
            fee: charge(below(3) == 0 ? 0 : below(300_000_000)), subject: ChargeSubject(user: "u\(below(3))"))
        _ = try book.decide(order, standing: standing, terms: terms, into: &changes)
    }

    private mutating func slot(_ standing: Standing, _ changes: inout AccountChanges) throws(Refusal) {
        let id = "a\(below(8))"
        if let known = slots[id], random.below(2) == 0 {
            book.release(known, into: &changes)
        } else {
            _ = try book.take(
                .agent, id: id, isPremium: false, known: slots[id], standing: standing, terms: terms, into: &changes)
        }
    }

    private mutating func subscribe(_ changes: inout AccountChanges) {
        let plans = terms.catalogue.plans
        let agents = Array(slots.values)
        guard random.below(4) > 0 else {
            _ = book.apply(nil as StatedSubscription?, agents: agents, terms: terms, into: &changes)
            return
        }
        if random.below(3) == 0 {
            let states = SubscriptionState.allCases
            let standing = ProviderStanding(
                subscription: "sub_\(below(2))", state: states[random.below(states.count)],
                boughtPlan: plans[random.below(plans.count)].name, periodStart: now.adding(seconds: -below(86_400)),
                periodEnd: now.adding(seconds: 1 + below(40 * 86_400)), lastEventID: "e", lastEventType: "t",
                lastEventCreated: now)
            _ = book.apply(standing, agents: agents, terms: terms, into: &changes)
            return
        }
        let spec = StatedSubscription(
            uid: "u\(below(2))", plan: plans[random.below(plans.count)].name,
            anchor: now.adding(seconds: -below(90 * 86_400)),
            overrides: [
                "overage": ["maxCredits": .int(below(3) * 100)],
                "rollover": ["min": .int(below(3) * 10), "max": .int(below(3) * 50)],
            ], validUntil: random.below(3) == 0 ? now.adding(seconds: 1 + below(60 * 86_400)) : nil)
        _ = book.apply(spec, agents: agents, terms: terms, into: &changes)
    }

    private mutating func budget(_ changes: inout AccountChanges) throws(Refusal) {
        let actions = Budget.HardAction.allCases
        try book.put(
            Budget(
                name: "b\(below(3))", scope: .user, match: "u\(below(3))",
                period: Budget.Period.allCases[random.below(4)], softLimitMicroUSD: below(1_000_000),
                hardLimitMicroUSD: below(20_000_000), actionOnHard: actions[random.below(actions.count)]),
            into: &changes)
    }

    /// Takes what happened into the tables that a store would have, and sums up the ledger.
    private mutating func absorb(_ changes: AccountChanges) throws {
        for entry in changes.entries {
            entries += 1
            #expect(entry.sequence == Int64(entries), "the ledger has no gaps")
            #expect(entry.legs.reduce(0) { $0 + $1.microCredits } == 0, "\(entry.kind) is uneven")
            for leg in entry.legs {
                sums[leg.bucket, default: 0] += leg.microCredits
                switch leg.bucket {
                case .grant, .held: #expect(sums[leg.bucket, default: 0] >= 0, "\(leg.bucket) is below 0")
                case .issued, .consumed, .expired, .voided, .overage: break
                }
            }
        }
        for grant in changes.grants { grants[grant.id] = grant }
        for reservation in changes.reservations { reservations[reservation.id] = try Reservation(reservation.row) }
        for slot in changes.removedSlots { slots[slot.id] = nil }
        for slot in changes.slots { slots[slot.id] = try Slot(slot.row) }
    }
}

/// The catalogues of the repository.
enum Catalogues {
    static func terms(_ file: String) throws -> BillingTerms {
        let text = try String(contentsOf: Repository.root.appending(path: "plans/\(file)"), encoding: .utf8)
        return BillingTerms(catalogue: try PlanCatalogue.read(YAMLText.json(text)))
    }
}
