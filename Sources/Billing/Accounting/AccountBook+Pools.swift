// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AccountBook {
    /// Brings period, pools and paid slots in line with how the account stands at its clock.
    mutating func align(agents: inout [Slot], terms: BillingTerms, into changes: inout AccountChanges) {
        let standing = standing(at: clock, terms: terms)
        voidEndedPools(standing, into: &changes)
        let isReset = beginPeriod(standing)
        if let amount = standing.periodCredits { fillPool(amount, standing, terms: terms, into: &changes) }
        repayDebt(standing, into: &changes)
        if isReset { payForAgents(&agents, standing, terms, into: &changes) }
        tellSubscription(standing, into: &changes)
        // Until then a period that is over may still be the latest that is known of its origin.
        let slack = terms.timers.renewalSlackSeconds
        pools.removeAll { $0.origin != standing.origin && $0.period.end.adding(seconds: slack) <= clock }
        changes.isAccountChanged = true
    }

    /// A subscription that is over takes its pools along.
    private mutating func voidEndedPools(_ standing: Standing, into changes: inout AccountChanges) {
        var over: [String] = []
        if standing.state == .canceled {
            if standing.source == .manual, let spec { over.append(spec.uid) }
        }
        if let provider, provider.state == .canceled { over.append(provider.subscription) }
        for origin in over { voidPools(of: origin, into: &changes) }
    }

    /// Voids what is left in the pools of an origin.
    mutating func voidPools(of origin: String, into changes: inout AccountChanges) {
        for index in grants.indices where grants[index].origin == origin && grants[index].state == .open {
            close(at: index, as: .voided, when: clock, into: &changes)
        }
        dropFinished(&changes)
    }

    /// The pool of the period in force.
    private var currentPool: Int? {
        pools.firstIndex { $0.origin == periodOrigin && $0.period.start == period.start }
    }

    /// - Returns: whether another period has begun.
    private mutating func beginPeriod(_ standing: Standing) -> Bool {
        guard standing.origin != periodOrigin || standing.period.start > period.start else {
            period.end = standing.period.end
            return false
        }
        let isFirst = periodOrigin.isEmpty
        if let left = currentPool { pools[left].counted = counters.period }
        periodOrigin = standing.origin
        period = standing.period
        // A subscription that is back within its period goes on with what was counted in it.
        let back = currentPool
        counters.period = back.flatMap { pools[$0].counted } ?? PeriodCounters()
        if let back { pools[back].counted = nil }
        totals.meteredBefore = totals.metered
        for index in budgets.indices { budgets[index].roll(to: clock, period: period) }
        return !isFirst
    }

    /// Grants the credits of a period that has begun, after carrying over what the plan lets; or raises what was granted for it.
    private mutating func fillPool(
        _ amount: Int64, _ standing: Standing, terms: BillingTerms, into changes: inout AccountChanges
    ) {
        let index = pools.firstIndex { $0.origin == standing.origin }
        if let index, pools[index].period.start >= standing.period.start {
            guard isRaised(pools[index], to: amount, standing) else { return }
            let key = Self.poolKey(standing.origin, pools[index].period.start)
            let missing = amount - pools[index].granted
            pools[index].granted = amount
            grantPool(
                missing, .subscription, key: "\(key):\(amount)", standing, reason: "higher plan", into: &changes)
            return
        }
        let slack = standing.source == .stripe ? terms.timers.renewalSlackSeconds : 0
        guard clock < standing.period.end.adding(seconds: slack) else { return }
        if let index {
            carryOver(standing, into: &changes)
            pools[index] = Pool(origin: standing.origin, period: standing.period, granted: amount)
        } else {
            pools.append(Pool(origin: standing.origin, period: standing.period, granted: amount))
        }
        let key = Self.poolKey(standing.origin, standing.period.start)
        grantPool(amount, .subscription, key: key, standing, reason: "period", into: &changes)
        dropFinished(&changes)
    }

    /// Whether a pool was granted less than its plan gives now. With another interval the dearer plan's period may have begun before the pool's.
    func isRaised(_ pool: Pool, to amount: Int64, _ standing: Standing) -> Bool {
        guard pool.granted < amount else { return false }
        return pool.period.start == standing.period.start
            || (pool.period.start > standing.period.start && pool.period.contains(clock))
    }

    private static func poolKey(_ origin: String, _ start: Timestamp) -> String { "sub:\(origin):\(start.rfc3339)" }

    /// The pool that ends is what is left of its grants; a part goes on, the rest expires, a minimum is made up.
    private mutating func carryOver(_ standing: Standing, into changes: inout AccountChanges) {
        let old = grants.indices.filter { grants[$0].origin == standing.origin && grants[$0].state == .open }
        let left = old.reduce(Int64(0)) { $0.addingSaturated(grants[$1].remaining) }
        let least = max(standing.limits.rolloverMin ?? 0, left)
        let carried = standing.limits.rolloverMax.map { min($0, least) } ?? least
        let key = "rollover:\(standing.origin):\(standing.period.start.rfc3339)"
        var moved = min(left, carried)
        var legs: [LedgerEntry.Leg] = []
        for index in old where moved > 0 && grants[index].remaining > 0 {
            let part = min(moved, grants[index].remaining)
            moved -= part
            grants[index].remaining -= part
            // What goes on is no longer this grant's: it counts as spent there, and is issued nowhere anew.
            grants[index].spent += part
            legs.append(LedgerEntry.Leg(.grant(grants[index].id), -part))
        }
        for index in old { close(at: index, as: .expired, when: clock, into: &changes) }
        dropFinished(&changes)
        guard carried > 0 else { return }
        var grant = poolGrant(carried, .rollover, key: key, standing, reason: "rollover")
        let fromBefore = min(left, carried)
        if fromBefore > 0 {
            grant.remaining = fromBefore
            insert(grant)
            legs.append(LedgerEntry.Leg(.grant(grant.id), fromBefore))
            post(.rollover, key: key, at: clock, legs, reference: "grant:\(grant.id)", into: &changes)
        } else {
            grant.remaining = 0
            insert(grant)
        }
        makeUp(carried - fromBefore, of: grant.id, key: key, into: &changes)
    }

    /// Grants what a minimum of carrying over asks for beyond what was left.
    private mutating func makeUp(
        _ amount: Int64, of id: String, key: String, into changes: inout AccountChanges
    ) {
        guard let index = grants.firstIndex(where: { $0.id == id }) else { return }
        if amount > 0 {
            grants[index].remaining += amount
            totals.issued += amount
            post(
                .grant, key: "\(key):minimum", at: clock,
                [LedgerEntry.Leg(.issued, -amount), LedgerEntry.Leg(.grant(id), amount)], reference: "grant:\(id)",
                into: &changes)
        }
        changes.put(grants[index])
    }

    private func poolGrant(
        _ amount: Int64, _ source: GrantSource, key: String, _ standing: Standing, reason: String
    ) -> Grant {
        Grant(
            id: key, key: key, digest: "", microCredits: amount, source: source, createdAt: clock, effectiveAt: clock,
            expiresAt: standing.period.end, reason: reason, origin: standing.origin)
    }

    private mutating func grantPool(
        _ amount: Int64, _ source: GrantSource, key: String, _ standing: Standing, reason: String,
        into changes: inout AccountChanges
    ) {
        guard amount > 0 else { return }
        issue(poolGrant(amount, source, key: key, standing, reason: reason), into: &changes)
    }

    /// What an owner is told of a subscription: told again, it is nothing new.
    static func told(_ standing: Standing) -> String { "\(standing.state.rawValue) \(standing.plan.name)" }

    private mutating func tellSubscription(_ standing: Standing, into changes: inout AccountChanges) {
        let told = Self.told(standing)
        guard told != toldState else { return }
        let isFirst = toldState.isEmpty
        toldState = told
        guard !isFirst || standing.source != .fallback else { return }
        changes.tell(
            AccountEvent(
                .subscriptionChanged, at: clock,
                data: [
                    "account": .string(account), "state": .string(standing.state.rawValue),
                    "plan": .string(standing.plan.name),
                    "bought_plan": .optional(standing.boughtPlan?.name),
                    "period_start": .string(standing.period.start.rfc3339),
                    "period_end": .string(standing.period.end.rfc3339),
                ]))
    }
}
