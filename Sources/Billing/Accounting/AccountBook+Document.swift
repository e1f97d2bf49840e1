// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension AccountBook {
    /// As it is stored.
    ///
    /// - Parameter version: the one that was read; 0 for a new account.
    package func row(version: Int64) -> AccountRow {
        AccountRow(account: account, version: version, document: document, dueAt: nextDue)
    }

    private var document: String {
        JSONWriter.document(reserving: 1024) { writer in
            writer.member("created", createdAt)
            writer.member("clock", clock)
            writer.member("sequence", lastSequence)
            if let spec { writer.member("spec") { spec.write(to: &$0) } }
            if let provider { writer.member("provider") { provider.write(to: &$0) } }
            writer.member("other_providers", list: otherProviders) { writer, provider in
                writer.raw("{")
                provider.write(to: &writer)
                writer.raw("}")
            }
            writer.member("free_anchor", freeAnchor)
            writer.member("period_of", periodOrigin)
            writer.member("period_start", period.start)
            writer.member("period_end", period.end)
            writer.member("pools", list: pools) { $1.write(to: &$0) }
            writer.member("due", nextDue)
            writer.member("told", toldState)
            writer.member("grants", list: grants) { writer, grant in
                writer.raw("{")
                grant.write(to: &writer)
                writer.raw("}")
            }
            writer.member("debt", debt)
            writer.member("held_overage", heldOverage)
            writer.member("totals") { totals.write(to: &$0) }
            writer.member("counters") { counters.write(to: &$0) }
            writer.member("budgets", list: budgets) { $1.write(to: &$0) }
            writer.member("open", openReservations)
            writer.member("earliest_end", earliestEnd)
        }
    }

    /// Reads a stored one; members that are not known are passed over.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    package init(_ row: AccountRow) throws {
        guard let object = (try? JSONParser.parse(text: row.document))?.objectValue,
            let created = object["created"]?.storedInstant
        else { throw BillingStoreError.unreadable("account") }
        self.init(account: row.account, at: created)
        for member in object.members { try read(member.name, member.value) }
    }

    private mutating func read(_ name: String, _ value: JSONValue) throws {
        switch name {
        case "clock": clock = value.storedInstant ?? clock
        case "sequence": lastSequence = value.intValue ?? 0
        case "spec": spec = try StatedSubscription(stored: value)
        case "provider": provider = try ProviderStanding(stored: value)
        case "other_providers": otherProviders = try (value.arrayValue ?? []).map(ProviderStanding.init(stored:))
        case "free_anchor": freeAnchor = value.storedInstant ?? freeAnchor
        case "period_of": periodOrigin = value.stringValue ?? ""
        case "period_start": period.start = value.storedInstant ?? period.start
        case "period_end": period.end = value.storedInstant ?? period.end
        case "pools": pools = try value.arrayValue?.map(Pool.init(stored:)) ?? []
        case "due": nextDue = value.storedInstant
        case "told": toldState = value.stringValue ?? ""
        case "grants":
            grants = try (value.arrayValue ?? []).map { element in
                guard let grant = element.objectValue.flatMap(Grant.init) else {
                    throw BillingStoreError.unreadable("grant of an account")
                }
                return grant
            }
        case "debt": debt = value.intValue ?? 0
        case "held_overage": heldOverage = value.intValue ?? 0
        case "totals": totals = AccountTotals(stored: value)
        case "counters": counters = AccountCounters(stored: value)
        case "budgets": budgets = try value.arrayValue?.map(BudgetAccount.init(stored:)) ?? []
        case "open": openReservations = value.intValue ?? 0
        case "earliest_end": earliestEnd = value.storedInstant
        default: break
        }
    }
}

extension AccountBook.Pool {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.raw("{")
        writer.member("origin", origin)
        writer.member("start", period.start)
        writer.member("end", period.end)
        writer.member("granted", granted)
        if let counted { writer.member("counted") { counted.write(to: &$0) } }
        writer.raw("}")
    }

    fileprivate init(stored value: JSONValue) throws {
        guard let origin = value["origin"]?.stringValue, let start = value["start"]?.storedInstant,
            let end = value["end"]?.storedInstant
        else { throw BillingStoreError.unreadable("pool of an account") }
        self.init(
            origin: origin, period: BillingPeriod(start: start, end: end), granted: value["granted"]?.intValue ?? 0,
            counted: value["counted"].map(PeriodCounters.init(stored:)))
    }
}

extension AccountTotals {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("issued", issued)
        writer.member("consumed", consumed)
        writer.member("expired", expired)
        writer.member("voided", voided)
        writer.member("uncollected", uncollected)
        writer.member("metered", metered)
        writer.member("metered_before", meteredBefore)
    }

    fileprivate init(stored value: JSONValue) {
        issued = value["issued"]?.intValue ?? 0
        consumed = value["consumed"]?.intValue ?? 0
        expired = value["expired"]?.intValue ?? 0
        voided = value["voided"]?.intValue ?? 0
        uncollected = value["uncollected"]?.intValue ?? 0
        metered = value["metered"]?.intValue ?? 0
        meteredBefore = value["metered_before"]?.intValue ?? 0
    }
}

extension AccountCounters {
    fileprivate func write(to writer: inout JSONWriter) {
        if day.microseconds != 0 { writer.member("day", day) }
        writer.member("tokens", tokensToday)
        writer.member("tokens_held", tokensHeld)
        period.write(to: &writer)
        writer.member("premium_held", list: heldPremiumModels) { writer, held in
            writer.raw("[")
            writer.string(held.model)
            writer.raw(",")
            writer.integer(held.count)
            writer.raw("]")
        }
        writer.member("agents", agents)
        writer.member("workers", workers)
        writer.member("workspaces", workspaces)
        writer.member("last_slot", lastSlot)
        writer.member("fired_tokens", firedTokens.highest)
        writer.member("exhausted", isExhaustionTold)
    }

    fileprivate init(stored value: JSONValue) {
        self.init()
        for member in value.objectValue?.members ?? [] { read(member.name, member.value) }
        period = PeriodCounters(stored: value)
    }

    private mutating func read(_ name: String, _ value: JSONValue) {
        switch name {
        case "day": day = value.storedInstant ?? day
        case "tokens": tokensToday = value.intValue ?? 0
        case "tokens_held": tokensHeld = value.intValue ?? 0
        case "premium_held":
            heldPremiumModels = (value.arrayValue ?? []).compactMap { pair in
                guard let pair = pair.arrayValue, pair.count == 2, let model = pair[0].stringValue,
                    let count = pair[1].intValue
                else { return nil }
                return HeldModel(model: model, count: count)
            }
        case "agents": agents = value.intValue ?? 0
        case "workers": workers = value.intValue ?? 0
        case "workspaces": workspaces = value.intValue ?? 0
        case "last_slot": lastSlot = value.intValue ?? 0
        case "fired_tokens": firedTokens = ThresholdLevels(highest: value.intValue ?? 0)
        case "exhausted": isExhaustionTold = value.boolValue ?? false
        default: break
        }
    }
}

extension PeriodCounters {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("tasks", tasks)
        writer.member("premium", premiumModels)
        writer.member("used", usedMicroCredits)
        writer.member("fired_credits", firedCredits.highest)
        writer.member("fired_tasks", firedTasks.highest)
    }

    fileprivate init(stored value: JSONValue) {
        tasks = value["tasks"]?.intValue ?? 0
        premiumModels = value["premium"]?.storedTexts ?? []
        usedMicroCredits = value["used"]?.intValue ?? 0
        firedCredits = ThresholdLevels(highest: value["fired_credits"]?.intValue ?? 0)
        firedTasks = ThresholdLevels(highest: value["fired_tasks"]?.intValue ?? 0)
    }
}
