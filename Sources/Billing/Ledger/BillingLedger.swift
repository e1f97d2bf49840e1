// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Keeps accounts, their ledger, usage and what goes out, in one database. Money counters live nowhere else.
package protocol BillingLedger: InstallationDocuments {
    /// Runs the body in one transaction in which nobody else changes the account; its effect is durable when this returns.
    ///
    /// Transactions that wait are committed together. The body may run more than once, and must do nothing but read and write through what it
    /// is handed. A refusal is a value that it returns; what it throws takes everything back.
    ///
    /// - Throws: `BillingStoreError`, or what the body throws.
    func transact<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingTransaction) throws -> Value
    ) async throws -> Value

    /// Runs the body over one consistent state of the account.
    ///
    /// - Throws: `BillingStoreError`, or what the body throws.
    func read<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws -> Value

    // MARK: - Over all accounts: workers and platform operators

    /// Accounts that time has changed, the longest due first; those that another worker holds are left out.
    func dueAccounts(at now: Timestamp, limit: Int) async throws -> [String]

    /// Accounts with reservations whose end has come.
    func accountsWithEndedReservations(at now: Timestamp, limit: Int) async throws -> [String]

    /// A page of accounts in the order of their ids.
    func accounts(after: String?, limit: Int) async throws -> [AccountRow]

    /// The versions of a page of accounts in the order of their ids: the same page as `accounts(after:limit:)`, without what they hold.
    func accountVersions(after: String?, limit: Int) async throws -> [AccountVersion]

    /// The account that a customer of the provider is linked to.
    func account(ofCustomer customer: String) async throws -> String?

    /// Claims an event of the provider: inserts it as claimed with a lease, or takes over one whose lease has ended, that failed or that
    /// is parked.
    func claim(_ event: ProviderEventRow, at now: Timestamp) async throws -> ProviderEventClaim

    /// Writes how far an event got outside of the transaction of its effect: `failed`, `parked`, `dead`, or `done` without effect.
    func finish(_ event: ProviderEventRow) async throws

    /// Events that failed and are due, and claimed ones whose lease has ended, the longest due first.
    func dueProviderEvents(at now: Timestamp, limit: Int) async throws -> [ProviderEventRow]

    /// Events of a state, newest first.
    func providerEvents(_ state: ProviderEventRow.State, limit: Int) async throws -> [ProviderEventRow]

    /// Events that wait until their customer is linked.
    func parkedEvents(ofCustomer customer: String, limit: Int) async throws -> [ProviderEventRow]

    /// Webhooks whose time has come, the longest due first. They are the caller's until the lease ends: nobody else is handed them.
    func dueDeliveries(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [DeliveryRow]

    /// Writes what became of a delivery; nothing where it is gone.
    func update(_ delivery: DeliveryRow) async throws

    /// Acknowledged usage: durable when this returns. The same id again changes nothing.
    ///
    /// - Returns: the payloads, by id, of those that were there before; an empty one where it was applied meanwhile.
    @discardableResult
    func addPending(_ usage: [PendingUsageRow]) async throws -> [String: String]

    /// Pending usage that nobody has, the oldest first; it is the caller's until the lease ends, and one more attempt is counted.
    func takePending(at now: Timestamp, leaseUntil: Timestamp, limit: Int) async throws -> [PendingUsageRow]

    /// The same for one that a queue named; nil where it is done or another's.
    func takePending(id: String, at now: Timestamp, leaseUntil: Timestamp) async throws -> PendingUsageRow?

    /// How many there are and when the oldest was received.
    func pendingUsage() async throws -> (count: Int64, oldest: Timestamp?)

    /// Forgets what is over: windows and events before the times that are named, at most `limit` rows each.
    ///
    /// - Returns: whether there may be more.
    func prune(_ limits: BillingRetention, limit: Int) async throws -> Bool

    /// How many reservations of all accounts are open.
    func openReservations() async throws -> Int64
}

/// What came of claiming an event.
package enum ProviderEventClaim: Sendable, Hashable {
    /// It is the caller's; the row as it is stored now.
    case claimed(ProviderEventRow)
    /// It was done before.
    case done(ProviderEventRow)
    /// Another has it until then.
    case busy(until: Timestamp)
}

/// Before when rows are forgotten; nil = never.
package struct BillingRetention: Sendable, Hashable {
    package var hours: Timestamp?
    package var days: Timestamp?
    package var weeks: Timestamp?
    /// Of ended reservations.
    package var reservations: Timestamp?
    /// Of events as repeats are told by; their record stays.
    package var dedup: Timestamp?
    /// Of webhooks that were delivered or given up.
    package var deliveries: Timestamp?
    /// Of answered events of the provider, by when they were received. Those that subscriptions are folded from stay.
    package var events: Timestamp?

    package init(
        hours: Timestamp? = nil, days: Timestamp? = nil, weeks: Timestamp? = nil, reservations: Timestamp? = nil,
        dedup: Timestamp? = nil, deliveries: Timestamp? = nil, events: Timestamp? = nil
    ) {
        self.hours = hours
        self.days = days
        self.weeks = weeks
        self.reservations = reservations
        self.dedup = dedup
        self.deliveries = deliveries
        self.events = events
    }
}

/// A fault of the store. Nothing was kept, unless the code is `outcomeUnknown`.
package struct BillingStoreError: Error, Sendable, CustomStringConvertible {
    /// What kind of fault.
    package enum Code: String, Sendable {
        /// The database is away or does not answer in time.
        case unavailable
        /// Whether it was kept is not known; doing it again is safe, because everything has a key.
        case outcomeUnknown
        /// Something stored cannot be read.
        case unreadable
        /// A rule of the database was broken: a defect of the program.
        case constraint
    }

    package let code: Code
    package let description: String
    package let cause: (any Error)?

    package init(_ code: Code, _ description: String, cause: (any Error)? = nil) {
        self.code = code
        self.description = description
        self.cause = cause
    }
}
