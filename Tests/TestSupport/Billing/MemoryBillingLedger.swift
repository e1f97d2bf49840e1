// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import Synchronization

/// A ledger in memory, exact to the contract: one transaction at a time, taken back whole when its body throws.
package final class MemoryBillingLedger: BillingLedger {
    private let state = Mutex(BillingTables())

    package init() {}

    package func transact<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingTransaction) throws -> Value
    ) async throws -> Value {
        try state.withLock { tables in
            let transaction = MemoryBillingTransaction(account: account, tables: tables)
            let value = try body(transaction)
            tables = transaction.tables
            return value
        }
    }

    package func read<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws -> Value {
        let tables = state.withLock { $0 }
        return try body(MemoryBillingTransaction(account: account, tables: tables))
    }

    // MARK: - Over all accounts

    package func dueAccounts(at now: Timestamp, limit: Int) async throws -> [String] {
        state.withLock { tables in
            tables.accounts.values.compactMap { row in row.dueAt.map { (due: $0, account: row.account) } }
                .filter { $0.due <= now }.sorted { ($0.due, $0.account) < ($1.due, $1.account) }.prefix(limit)
                .map(\.account)
        }
    }

    package func accountsWithEndedReservations(at now: Timestamp, limit: Int) async throws -> [String] {
        state.withLock { tables in
            var earliest: [String: Timestamp] = [:]
            for (key, row) in tables.reservations {
                guard let end = row.endsAt, end <= now else { continue }
                earliest[key.account] = min(earliest[key.account] ?? end, end)
            }
            return earliest.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.prefix(limit).map(\.key)
        }
    }

    package func accounts(after: String?, limit: Int) async throws -> [AccountRow] {
        state.withLock { tables in
            tables.accounts.values.filter { after == nil || $0.account > after! }.sorted { $0.account < $1.account }
                .prefix(limit).map { $0 }
        }
    }

    package func accountVersions(after: String?, limit: Int) async throws -> [AccountVersion] {
        try await accounts(after: after, limit: limit).map { AccountVersion(account: $0.account, version: $0.version) }
    }

    package func account(ofCustomer customer: String) async throws -> String? {
        state.withLock { $0.customers[customer] }
    }

    // MARK: - Events of the provider

    package func claim(_ event: ProviderEventRow, at now: Timestamp) async throws -> ProviderEventClaim {
        state.withLock { tables in
            guard let known = tables.events[event.id] else {
                tables.events[event.id] = event
                return .claimed(event)
            }
            switch known.state {
            case .done: return .done(known)
            case .claimed:
                if let lease = known.leaseUntil, lease > now { return .busy(until: lease) }
            case .failed, .parked, .dead: break
            }
            var row = event
            row.state = .claimed
            row.nextAt = nil
            row.account = event.account ?? known.account
            row.customer = event.customer ?? known.customer
            row.subscription = event.subscription ?? known.subscription
            row.outcome = known.outcome
            row.attempts = known.attempts
            row.receivedAt = known.receivedAt
            tables.events[event.id] = row
            return .claimed(row)
        }
    }

    package func finish(_ event: ProviderEventRow) async throws { state.withLock { $0.events[event.id] = event } }

    package func dueProviderEvents(at now: Timestamp, limit: Int) async throws -> [ProviderEventRow] {
        state.withLock { tables in
            tables.events.values.compactMap { event -> (due: Timestamp, event: ProviderEventRow)? in
                switch event.state {
                case .failed: event.nextAt.map { ($0, event) }
                case .claimed: event.leaseUntil.map { ($0, event) }
                case .done, .parked, .dead: nil
                }
            }
            .filter { $0.due <= now }.sorted { ($0.due, $0.event.id) < ($1.due, $1.event.id) }.prefix(limit)
            .map(\.event)
        }
    }

    package func providerEvents(_ state: ProviderEventRow.State, limit: Int) async throws -> [ProviderEventRow] {
        self.state.withLock { tables in
            tables.events.values.filter { $0.state == state }
                .sorted { ($0.receivedAt, $0.id) > ($1.receivedAt, $1.id) }.prefix(limit).map { $0 }
        }
    }

    package func parkedEvents(ofCustomer customer: String, limit: Int) async throws -> [ProviderEventRow] {
        state.withLock { tables in
            tables.events.values.filter { $0.state == .parked && $0.customer == customer }
                .sorted { ($0.created, $0.id) < ($1.created, $1.id) }.prefix(limit).map { $0 }
        }
    }

    // MARK: - Webhooks

    package func dueDeliveries(
        at now: Timestamp, leaseUntil: Timestamp, limit: Int
    ) async throws -> [DeliveryRow] {
        state.withLock { tables in
            let due = tables.deliveries.values
                .filter { row in
                    row.nextAt.map { $0 <= now } ?? false && tables.deliveryLeases[row.id].map { $0 <= now } ?? true
                }
                .sorted { ($0.nextAt ?? now, $0.id) < ($1.nextAt ?? now, $1.id) }.prefix(limit)
            for row in due { tables.deliveryLeases[row.id] = leaseUntil }
            return Array(due)
        }
    }

    package func update(_ delivery: DeliveryRow) async throws {
        state.withLock { tables in
            guard tables.deliveries[delivery.id] != nil else { return }
            tables.deliveries[delivery.id] = delivery
            tables.deliveryLeases[delivery.id] = nil
        }
    }

    // MARK: - Usage that waits

    package func addPending(_ usage: [PendingUsageRow]) async throws -> [String: String] {
        state.withLock { tables in
            var known: [String: String] = [:]
            for row in usage {
                known[row.id] = tables.pending[row.id]?.payload
                if tables.pending[row.id] == nil { tables.pending[row.id] = row }
            }
            return known
        }
    }

    package func takePending(
        at now: Timestamp, leaseUntil: Timestamp, limit: Int
    ) async throws -> [PendingUsageRow] {
        state.withLock { tables in
            let free = tables.pending.values.filter { $0.leaseUntil.map { $0 <= now } ?? true }
                .sorted { ($0.receivedAt, $0.id) < ($1.receivedAt, $1.id) }.prefix(limit)
            return free.map { tables.lease($0, until: leaseUntil) }
        }
    }

    package func takePending(
        id: String, at now: Timestamp, leaseUntil: Timestamp
    ) async throws -> PendingUsageRow? {
        state.withLock { tables in
            guard let row = tables.pending[id], row.leaseUntil.map({ $0 <= now }) ?? true else { return nil }
            return tables.lease(row, until: leaseUntil)
        }
    }

    package func pendingUsage() async throws -> (count: Int64, oldest: Timestamp?) {
        state.withLock { (Int64($0.pending.count), $0.pending.values.map(\.receivedAt).min()) }
    }

    // MARK: - Of the installation

    package func installationDocument(_ name: String) async throws -> String? { state.withLock { $0.documents[name] } }

    package func putInstallationDocuments(_ documents: [(name: String, document: String)]) async throws {
        state.withLock { tables in
            for (name, document) in documents { tables.documents[name] = document }
        }
    }

    // MARK: - All of it

    package func prune(_ limits: BillingRetention, limit: Int) async throws -> Bool {
        state.withLock { $0.prune(limits, limit: limit) }
    }

    package func openReservations() async throws -> Int64 {
        state.withLock { tables in Int64(tables.reservations.values.count { $0.endsAt != nil }) }
    }
}
