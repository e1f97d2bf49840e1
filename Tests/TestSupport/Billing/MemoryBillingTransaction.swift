// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// One transaction over tables of its own, which become the ledger's when its body returns.
final class MemoryBillingTransaction: BillingTransaction {
    typealias Key = BillingTables.Key

    private let tenant: String
    private(set) var tables: BillingTables

    init(account: String, tables: BillingTables) {
        tenant = account
        self.tables = tables
    }

    private func key(_ name: String) -> Key { Key(account: tenant, name: name) }

    private func constraint(_ text: String) -> BillingStoreError { BillingStoreError(.constraint, text) }

    /// What a database would cut or refuse.
    private func checkNames(_ names: String...) throws {
        guard names.allSatisfy({ !$0.utf8.contains(0) }) else { throw constraint("a name has a NUL") }
    }

    private func page<Row>(_ rows: [Row], after isLast: ((Row) -> Bool)?, limit: Int) -> [Row] {
        guard let isLast else { return Array(rows.prefix(limit)) }
        guard let index = rows.firstIndex(where: isLast) else { return [] }
        return Array(rows[(index + 1)...].prefix(limit))
    }

    // MARK: - Account, grants, reservations, slots

    func account() throws -> AccountRow? { tables.accounts[tenant] }

    func accountVersion() throws -> Int64 { tables.accounts[tenant]?.version ?? 0 }

    func put(_ row: AccountRow) throws {
        guard row.account == tenant, row.version == (try accountVersion()) else {
            throw constraint("the account was changed")
        }
        var row = row
        row.version += 1
        tables.accounts[tenant] = row
    }

    func grant(key: String) throws -> GrantRow? {
        tables.grants.first { $0.key.account == tenant && $0.value.key == key }?.value
    }

    func grant(id: String) throws -> GrantRow? { tables.grants[key(id)] }

    func grants(before: GrantRow?, limit: Int) throws -> [GrantRow] {
        let rows = tables.grants.filter { $0.key.account == tenant }.map(\.value)
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return page(rows, after: before.map { last in { (row: GrantRow) in row.id == last.id } }, limit: limit)
    }

    func put(_ row: GrantRow) throws {
        if let known = try grant(key: row.key), known.id != row.id { throw constraint("a grant has this key") }
        tables.grants[key(row.id)] = row
    }

    func reservation(key: String) throws -> ReservationRow? {
        tables.reservationKeys[self.key(key)].flatMap { tables.reservations[self.key($0)] }
    }

    func reservation(id: String) throws -> ReservationRow? { tables.reservations[key(id)] }

    func endedReservations(at now: Timestamp, limit: Int) throws -> [ReservationRow] {
        tables.reservations.filter { $0.key.account == tenant && $0.value.endsAt.map { $0 <= now } ?? false }
            .map(\.value).sorted { ($0.endsAt ?? now, $0.id) < ($1.endsAt ?? now, $1.id) }.prefix(limit).map { $0 }
    }

    func put(_ row: ReservationRow) throws {
        try checkNames(row.id, row.key)
        if let known = tables.reservationKeys[key(row.key)], known != row.id {
            throw constraint("a reservation has this key")
        }
        if let before = tables.reservations[key(row.id)] { tables.reservationKeys[key(before.key)] = nil }
        tables.reservations[key(row.id)] = row
        tables.reservationKeys[key(row.key)] = row.id
    }

    private func slotKey(_ kind: SlotRow.Kind, _ id: String) -> Key { key("\(kind.rawValue)/\(id)") }

    func slot(_ kind: SlotRow.Kind, id: String) throws -> SlotRow? { tables.slots[slotKey(kind, id)] }

    func slots(_ kind: SlotRow.Kind, after order: Int64, limit: Int) throws -> [SlotRow] {
        tables.slots.filter { $0.key.account == tenant && $0.value.kind == kind && $0.value.order > order }
            .map(\.value).sorted { $0.order < $1.order }.prefix(limit).map { $0 }
    }

    func put(_ row: SlotRow) throws { tables.slots[slotKey(row.kind, row.id)] = row }

    func remove(_ kind: SlotRow.Kind, id: String) throws { tables.slots[slotKey(kind, id)] = nil }

    // MARK: - Ledger

    func entry(key: String) throws -> LedgerEntry? {
        tables.entryKeys[self.key(key)].flatMap { tables.entries[tenant]?[$0] }
    }

    func entries(before sequence: Int64?, limit: Int) throws -> [LedgerEntry] {
        let all = tables.entries[tenant] ?? []
        return all.reversed().filter { entry in sequence.map { entry.sequence < $0 } ?? true }.prefix(limit).map { $0 }
    }

    func append(_ entries: [LedgerEntry]) throws {
        for entry in entries {
            try checkNames(entry.key, entry.id)
            let count = tables.entries[tenant]?.count ?? 0
            guard entry.sequence == Int64(count) + 1 else { throw constraint("the sequence of the ledger has a gap") }
            guard tables.entryKeys[key(entry.key)] == nil else { throw constraint("an entry has this key") }
            tables.entryKeys[key(entry.key)] = count
            tables.entries[tenant, default: []].append(entry)
        }
    }

    // MARK: - Usage

    private func usageKey(_ source: String, _ id: String) -> Key { key("\(source)\u{0}\(id)") }

    func usage(source: String, id: String, since: Timestamp) throws -> UsageRow? {
        guard let row = tables.usageByID[usageKey(source, id)], row.receivedAt >= since else { return nil }
        return row
    }

    func usage(_ query: UsageQuery) throws -> [UsageRow] {
        let rows = (tables.usage[tenant] ?? [])
            .filter { row in
                query.from.map { row.at >= $0 } ?? true && query.to.map { row.at < $0 } ?? true
                    && query.dimensions.allSatisfy { row.dimensions[$0.key] == $0.value }
            }
            .sorted { ($0.at, $0.source, $0.id) > ($1.at, $1.source, $1.id) }
        guard let before = query.before else { return Array(rows.prefix(query.limit)) }
        return rows.filter { ($0.at, $0.source, $0.id) < (before.at, before.source, before.id) }.prefix(query.limit)
            .map { $0 }
    }

    func record(_ usage: [UsageRow]) throws {
        for row in usage {
            let place = row.dimensions
            try checkNames(row.source, row.id, place.model, place.agent, place.user, place.project)
            tables.usage[tenant, default: []].append(row)
            tables.usageByID[usageKey(row.source, row.id)] = row
        }
    }

    func update(_ row: UsageRow) throws {
        let index = tables.usage[tenant]?.lastIndex {
            $0.source == row.source && $0.id == row.id && $0.receivedAt == row.receivedAt
        }
        guard let index else { throw constraint("no such record") }
        tables.usage[tenant]?[index] = row
        if tables.usageByID[usageKey(row.source, row.id)]?.receivedAt == row.receivedAt {
            tables.usageByID[usageKey(row.source, row.id)] = row
        }
    }

    func add(_ windows: [UsageWindowDelta]) throws {
        for delta in windows {
            let place = BillingTables.WindowKey(
                granularity: delta.granularity, start: delta.start, dimensions: delta.dimensions)
            tables.windows[tenant, default: [:]][place, default: UsageAmounts()].add(delta.amounts)
        }
    }

    func windows(
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>,
        limit: Int?
    ) throws -> [UsageWindowDelta] {
        var sums: [BillingTables.WindowKey: UsageAmounts] = [:]
        for (place, amounts) in tables.windows[tenant] ?? [:]
        where place.granularity == granularity && place.start >= from && place.start < to {
            var place = place
            for dimension in UsageDimension.allCases where !by.contains(dimension) {
                place.dimensions[dimension] = ""
            }
            sums[place, default: UsageAmounts()].add(amounts)
        }
        let sorted = sums.map {
            UsageWindowDelta(
                granularity: granularity, start: $0.key.start, dimensions: $0.key.dimensions, amounts: $0.value)
        }.sorted { ($0.start, $0.dimensions.sortText) < ($1.start, $1.dimensions.sortText) }
        return limit.map { Array(sorted.prefix($0)) } ?? sorted
    }

    func dimensionValues(_ dimension: UsageDimension, day: Timestamp) throws -> Set<String> {
        let keys = (tables.windows[tenant] ?? [:]).keys.filter { $0.granularity == .day && $0.start == day }
        return Set(keys.map { $0.dimensions[dimension] }.filter { !$0.isEmpty })
    }

    func quarantined(model: String, after: UsageRow?, limit: Int) throws -> [UsageRow] {
        let rows = (tables.usage[tenant] ?? []).filter { $0.isQuarantined && $0.dimensions.model == model }
            .sorted { ($0.at, $0.source, $0.id) < ($1.at, $1.source, $1.id) }
        guard let after else { return Array(rows.prefix(limit)) }
        return rows.filter { ($0.at, $0.source, $0.id) > (after.at, after.source, after.id) }.prefix(limit).map { $0 }
    }

    // MARK: - Provider, documents, webhooks

    func providerEvents(subscription: String) throws -> [ProviderEventRow] {
        tables.events.values.filter { $0.subscription == subscription && ($0.account ?? tenant) == tenant }
    }

    func put(_ event: ProviderEventRow) throws { tables.events[event.id] = event }

    func customers() throws -> [String] { tables.customers.filter { $0.value == tenant }.keys.sorted() }

    func account(ofCustomer customer: String) throws -> String? { tables.customers[customer] }

    func link(customer: String) throws {
        if let other = tables.customers[customer], other != tenant { throw constraint("the customer is another's") }
        tables.customers[customer] = tenant
    }

    func tie(purchases: [String], to key: String) throws -> Bool {
        guard purchases.allSatisfy({ tables.purchases[$0].map { $0 == (tenant, key) } ?? true }) else { return false }
        for purchase in purchases { tables.purchases[purchase] = (tenant, key) }
        return true
    }

    private func namedKey(_ kind: NamedRow.Kind, _ name: String) -> Key { key("\(kind.rawValue)/\(name)") }

    func named(_ kind: NamedRow.Kind, _ name: String) throws -> NamedRow? { tables.named[namedKey(kind, name)] }

    func named(_ kind: NamedRow.Kind, after name: String?, limit: Int) throws -> [NamedRow] {
        tables.named.filter { $0.key.account == tenant && $0.value.kind == kind }.map(\.value)
            .filter { row in name.map { row.name > $0 } ?? true }.sorted { $0.name < $1.name }.prefix(limit).map { $0 }
    }

    func put(_ row: NamedRow) throws { tables.named[namedKey(row.kind, row.name)] = row }

    func remove(_ kind: NamedRow.Kind, _ name: String) throws { tables.named[namedKey(kind, name)] = nil }

    func deliveries(endpoint: String, before: DeliveryRow?, limit: Int) throws -> [DeliveryRow] {
        let rows = tables.deliveries.values.filter { $0.account == tenant && $0.endpoint == endpoint }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return page(rows, after: before.map { last in { (row: DeliveryRow) in row.id == last.id } }, limit: limit)
    }

    func delivery(id: String) throws -> DeliveryRow? {
        tables.deliveries[id].flatMap { $0.account == tenant ? $0 : nil }
    }

    func add(_ deliveries: [DeliveryRow]) throws {
        for row in deliveries {
            guard row.account == tenant else { throw constraint("the delivery is another's") }
            guard tables.deliveries[row.id] == nil else { throw constraint("a delivery has this id") }
            tables.deliveries[row.id] = row
        }
    }

    func removePending(id: String) throws {
        guard tables.pending[id]?.account == tenant else { return }
        tables.pending[id] = nil
    }
}

extension UsageDimensions {
    fileprivate var sortText: String { "\(model)\u{0}\(agent)\u{0}\(user)\u{0}\(project)" }

    fileprivate subscript(dimension: UsageDimension) -> String {
        get {
            switch dimension {
            case .model: model
            case .agent: agent
            case .user: user
            case .project: project
            }
        }
        set {
            switch dimension {
            case .model: model = newValue
            case .agent: agent = newValue
            case .user: user = newValue
            case .project: project = newValue
            }
        }
    }
}
