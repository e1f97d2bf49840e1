// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import Synchronization

/// The part of a ledger that events of the provider and webhooks use, in memory: each transaction alone, all of it or nothing.
package final class ProviderLedger: BillingLedger {
    /// Everything that is kept.
    package struct State: Sendable {
        package var events: [String: ProviderEventRow] = [:]
        /// Accounts by customer.
        package var links: [String: String] = [:]
        /// The account and the key that each purchase is tied to.
        package var purchases: [String: (account: String, key: String)] = [:]
        package var named: [String: [NamedRow]] = [:]
        package var grants: [String: [GrantRow]] = [:]
        package var deliveries: [String: DeliveryRow] = [:]
        package var leases: [String: Timestamp] = [:]
    }

    private let state = Mutex(State())
    private let faults = Mutex(0)

    package init() {}

    /// What is kept now.
    package var kept: State { state.withLock { $0 } }

    /// Links a customer.
    package func link(_ customer: String, to account: String) { state.withLock { $0.links[customer] = account } }

    /// The next transactions fail after their body has run.
    package func failTransactions(_ count: Int) { faults.withLock { $0 = count } }

    package func transact<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingTransaction) throws -> Value
    ) async throws -> Value {
        let fails = faults.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        return try state.withLock { state in
            let session = ProviderLedgerSession(account: account, state: state)
            let value = try body(session)
            if fails { throw BillingStoreError(.unavailable, "made to fail") }
            state = session.state
            return value
        }
    }

    package func read<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws -> Value {
        try state.withLock { try body(ProviderLedgerSession(account: account, state: $0)) }
    }

    package func account(ofCustomer customer: String) async throws -> String? { state.withLock { $0.links[customer] } }

    package func claim(_ event: ProviderEventRow, at now: Timestamp) async throws -> ProviderEventClaim {
        state.withLock { state in
            guard var known = state.events[event.id] else {
                state.events[event.id] = event
                return .claimed(event)
            }
            switch known.state {
            case .done: return .done(known)
            case .claimed:
                if let until = known.leaseUntil, now < until { return .busy(until: until) }
            case .failed, .parked, .dead: break
            }
            known.state = .claimed
            known.leaseUntil = event.leaseUntil
            state.events[event.id] = known
            return .claimed(known)
        }
    }

    package func finish(_ event: ProviderEventRow) async throws { state.withLock { $0.events[event.id] = event } }

    package func dueProviderEvents(at now: Timestamp, limit: Int) async throws -> [ProviderEventRow] {
        let due = kept.events.values.filter { row in
            switch row.state {
            case .failed: row.nextAt.map { $0 <= now } ?? false
            case .claimed: row.leaseUntil.map { $0 <= now } ?? false
            case .done, .parked, .dead: false
            }
        }
        return Array(due.sorted { ($0.receivedAt, $0.id) < ($1.receivedAt, $1.id) }.prefix(limit))
    }

    package func providerEvents(_ state: ProviderEventRow.State, limit: Int) async throws -> [ProviderEventRow] {
        let found = kept.events.values.filter { $0.state == state }
        return Array(found.sorted { ($0.receivedAt, $0.id) > ($1.receivedAt, $1.id) }.prefix(limit))
    }

    package func parkedEvents(ofCustomer customer: String, limit: Int) async throws -> [ProviderEventRow] {
        let found = kept.events.values.filter { $0.state == .parked && $0.customer == customer }
        return Array(found.sorted { $0.id < $1.id }.prefix(limit))
    }

    package func dueDeliveries(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [DeliveryRow] {
        state.withLock { state in
            let due = state.deliveries.values.filter { row in
                guard let next = row.nextAt, next <= now else { return false }
                return state.leases[row.id].map { $0 <= now } ?? true
            }
            let mine = Array(due.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }.prefix(limit))
            for row in mine { state.leases[row.id] = leaseUntil }
            return mine
        }
    }

    package func update(_ delivery: DeliveryRow) async throws {
        state.withLock { state in
            guard state.deliveries[delivery.id] != nil else { return }
            state.deliveries[delivery.id] = delivery
            state.leases[delivery.id] = nil
        }
    }

    // Nothing of the rest is used by what is tested with this.
    package func dueAccounts(at now: Timestamp, limit: Int) async throws -> [String] { throw Self.unused }
    package func accountsWithEndedReservations(at now: Timestamp, limit: Int) async throws -> [String] {
        throw Self.unused
    }
    package func accounts(after: String?, limit: Int) async throws -> [AccountRow] { throw Self.unused }
    package func accountVersions(after: String?, limit: Int) async throws -> [AccountVersion] { throw Self.unused }
    package func addPending(_ usage: [PendingUsageRow]) async throws -> [String: String] { throw Self.unused }
    package func takePending(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [PendingUsageRow] {
        throw Self.unused
    }
    package func takePending(id: String, at now: Timestamp, leaseUntil: Timestamp) async throws -> PendingUsageRow? {
        throw Self.unused
    }
    package func pendingUsage() async throws -> (count: Int64, oldest: Timestamp?) { throw Self.unused }
    package func prune(_ limits: BillingRetention, limit: Int) async throws -> Bool { throw Self.unused }
    package func openReservations() async throws -> Int64 { throw Self.unused }
    package func installationDocument(_ name: String) async throws -> String? { throw Self.unused }
    package func putInstallationDocuments(_ documents: [(name: String, document: String)]) async throws {
        throw Self.unused
    }

    static let unused = BillingStoreError(.constraint, "this ledger keeps events of the provider and webhooks only")
}
