// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// One transaction over a copy of what a `ProviderLedger` keeps.
final class ProviderLedgerSession: BillingTransaction {
    private let name: String
    private(set) var state: ProviderLedger.State

    init(account: String, state: ProviderLedger.State) {
        name = account
        self.state = state
    }

    func providerEvents(subscription: String) throws -> [ProviderEventRow] {
        state.events.values.filter { $0.subscription == subscription && $0.account == name }
    }
    func customers() throws -> [String] { state.links.filter { $0.value == name }.keys.sorted() }
    func account(ofCustomer customer: String) throws -> String? { state.links[customer] }
    func put(_ event: ProviderEventRow) throws { state.events[event.id] = event }
    func link(customer: String) throws {
        guard state.links[customer] == nil else { throw BillingStoreError(.constraint, "linked before") }
        state.links[customer] = name
    }

    func tie(purchases: [String], to key: String) throws -> Bool {
        guard purchases.allSatisfy({ state.purchases[$0].map { $0 == (name, key) } ?? true }) else { return false }
        for purchase in purchases { state.purchases[purchase] = (name, key) }
        return true
    }

    func named(_ kind: NamedRow.Kind, _ name: String) throws -> NamedRow? {
        state.named[self.name]?.first { $0.kind == kind && $0.name == name }
    }
    func named(_ kind: NamedRow.Kind, after name: String?, limit: Int) throws -> [NamedRow] {
        let found = (state.named[self.name] ?? []).filter { row in
            row.kind == kind && name.map { row.name > $0 } ?? true
        }
        return Array(found.sorted { $0.name < $1.name }.prefix(limit))
    }
    func put(_ named: NamedRow) throws {
        try remove(named.kind, named.name)
        state.named[name, default: []].append(named)
    }
    func remove(_ kind: NamedRow.Kind, _ name: String) throws {
        state.named[self.name]?.removeAll { $0.kind == kind && $0.name == name }
    }

    func grant(key: String) throws -> GrantRow? { state.grants[name]?.first { $0.key == key } }
    func grant(id: String) throws -> GrantRow? { state.grants[name]?.first { $0.id == id } }
    func put(_ grant: GrantRow) throws {
        guard try self.grant(key: grant.key) == nil else { throw BillingStoreError(.constraint, "granted before") }
        state.grants[name, default: []].append(grant)
    }

    func deliveries(endpoint: String, before: DeliveryRow?, limit: Int) throws -> [DeliveryRow] {
        let found = state.deliveries.values.filter { row in
            guard row.account == name, row.endpoint == endpoint else { return false }
            return before.map { (row.createdAt, row.id) < ($0.createdAt, $0.id) } ?? true
        }
        return Array(found.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(limit))
    }
    func delivery(id: String) throws -> DeliveryRow? {
        state.deliveries[id].flatMap { $0.account == name ? $0 : nil }
    }
    func add(_ deliveries: [DeliveryRow]) throws {
        for delivery in deliveries { state.deliveries[delivery.id] = delivery }
    }

    // Nothing of the rest is used by what is tested with this.
    func account() throws -> AccountRow? { throw ProviderLedger.unused }
    func accountVersion() throws -> Int64 { throw ProviderLedger.unused }
    func grants(before: GrantRow?, limit: Int) throws -> [GrantRow] { throw ProviderLedger.unused }
    func reservation(key: String) throws -> ReservationRow? { throw ProviderLedger.unused }
    func reservation(id: String) throws -> ReservationRow? { throw ProviderLedger.unused }
    func endedReservations(at now: Timestamp, limit: Int) throws -> [ReservationRow] { throw ProviderLedger.unused }
    func slot(_ kind: SlotRow.Kind, id: String) throws -> SlotRow? { throw ProviderLedger.unused }
    func slots(_ kind: SlotRow.Kind, after order: Int64, limit: Int) throws -> [SlotRow] { throw ProviderLedger.unused }
    func entry(key: String) throws -> LedgerEntry? { throw ProviderLedger.unused }
    func entries(before sequence: Int64?, limit: Int) throws -> [LedgerEntry] { throw ProviderLedger.unused }
    func usage(source: String, id: String, since: Timestamp) throws -> UsageRow? { throw ProviderLedger.unused }
    func usage(_ query: UsageQuery) throws -> [UsageRow] { throw ProviderLedger.unused }
    func windows(
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>,
        limit: Int?
    ) throws -> [UsageWindowDelta] { throw ProviderLedger.unused }
    func dimensionValues(_ dimension: UsageDimension, day: Timestamp) throws -> Set<String> {
        throw ProviderLedger.unused
    }
    func quarantined(model: String, after: UsageRow?, limit: Int) throws -> [UsageRow] { throw ProviderLedger.unused }
    func put(_ account: AccountRow) throws { throw ProviderLedger.unused }
    func put(_ reservation: ReservationRow) throws { throw ProviderLedger.unused }
    func put(_ slot: SlotRow) throws { throw ProviderLedger.unused }
    func remove(_ kind: SlotRow.Kind, id: String) throws { throw ProviderLedger.unused }
    func append(_ entries: [LedgerEntry]) throws { throw ProviderLedger.unused }
    func record(_ usage: [UsageRow]) throws { throw ProviderLedger.unused }
    func add(_ windows: [UsageWindowDelta]) throws { throw ProviderLedger.unused }
    func update(_ usage: UsageRow) throws { throw ProviderLedger.unused }
    func removePending(id: String) throws { throw ProviderLedger.unused }
}
