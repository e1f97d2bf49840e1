// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One consistent state of an account, for as long as the body runs that it is handed to.
package protocol BillingReader {
    /// Nil where the account is not stored.
    func account() throws -> AccountRow?
    /// Only the version: whoever holds that version's document need not read it again; 0 where the account is not stored.
    func accountVersion() throws -> Int64

    func grant(key: String) throws -> GrantRow?
    func grant(id: String) throws -> GrantRow?
    /// The newest first; `before` is the last of the page before.
    func grants(before: GrantRow?, limit: Int) throws -> [GrantRow]

    func reservation(key: String) throws -> ReservationRow?
    func reservation(id: String) throws -> ReservationRow?
    /// Those whose end has come at an instant, the earliest first.
    func endedReservations(at now: Timestamp, limit: Int) throws -> [ReservationRow]

    func slot(_ kind: SlotRow.Kind, id: String) throws -> SlotRow?
    /// In the order of hiring.
    func slots(_ kind: SlotRow.Kind, after order: Int64, limit: Int) throws -> [SlotRow]

    /// An entry by its key.
    func entry(key: String) throws -> LedgerEntry?
    /// The newest first; `before` is a sequence.
    func entries(before sequence: Int64?, limit: Int) throws -> [LedgerEntry]

    /// The record of an event that was taken at or after an instant; an older one is not a repeat.
    func usage(source: String, id: String, since: Timestamp) throws -> UsageRow?
    /// The same for many events in one question.
    func usage(_ keys: [UsageKey], since: Timestamp) throws -> [UsageKey: UsageRow]
    /// Recorded usage, the newest first by when it was used.
    func usage(_ query: UsageQuery) throws -> [UsageRow]
    /// Windows from the first start to before the second, summed up by the dimensions that are named; in the order of their starts.
    ///
    /// - Parameter limit: most sums; nil = all.
    func windows(
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>,
        limit: Int?
    ) throws -> [UsageWindowDelta]
    /// How many different values a dimension has on a day, and whether a value is one of them.
    func dimensionValues(_ dimension: UsageDimension, day: Timestamp) throws -> Set<String>
    /// How many different values a dimension has on a day, and which of some are among them: the same without reading all. An event that did
    /// not say adds none.
    func dimensionValues(
        _ dimension: UsageDimension, day: Timestamp, among values: Set<String>
    ) throws -> (count: Int, known: Set<String>)
    /// Records that were charged at the price that stands in for an unknown model's, the oldest first.
    func quarantined(model: String, after: UsageRow?, limit: Int) throws -> [UsageRow]

    /// Facts of a subscription of the provider, in no order.
    func providerEvents(subscription: String) throws -> [ProviderEventRow]
    /// Every customer that is linked to the account.
    func customers() throws -> [String]
    /// The account that a customer is linked to, whichever that is.
    func account(ofCustomer customer: String) throws -> String?

    func named(_ kind: NamedRow.Kind, _ name: String) throws -> NamedRow?
    /// In the order of their names.
    func named(_ kind: NamedRow.Kind, after name: String?, limit: Int) throws -> [NamedRow]

    /// Deliveries of an endpoint, the newest first.
    func deliveries(endpoint: String, before: DeliveryRow?, limit: Int) throws -> [DeliveryRow]
    func delivery(id: String) throws -> DeliveryRow?
}

extension BillingReader {
    package func windows(
        _ granularity: UsageWindowDelta.Granularity, from: Timestamp, to: Timestamp, by: Set<UsageDimension>
    ) throws -> [UsageWindowDelta] { try windows(granularity, from: from, to: to, by: by, limit: nil) }

    package func usage(_ keys: [UsageKey], since: Timestamp) throws -> [UsageKey: UsageRow] {
        var found: [UsageKey: UsageRow] = [:]
        for key in keys { found[key] = try usage(source: key.source, id: key.id, since: since) }
        return found
    }

    package func dimensionValues(
        _ dimension: UsageDimension, day: Timestamp, among values: Set<String>
    ) throws -> (count: Int, known: Set<String>) {
        let all = try dimensionValues(dimension, day: day)
        return (all.count, all.intersection(values))
    }
}

/// What an event is told from others by.
package struct UsageKey: Sendable, Hashable {
    package var source: String
    package var id: String

    package init(source: String, id: String) {
        self.source = source
        self.id = id
    }
}

/// A reader that also writes. What it wrote it reads.
package protocol BillingTransaction: BillingReader {
    /// Puts the account; its version must be the one that was read, and is one more afterwards.
    ///
    /// - Throws: `constraint` where it is not.
    func put(_ account: AccountRow) throws
    /// Inserts or replaces, by id. Another id with the same key is a `constraint`.
    func put(_ grant: GrantRow) throws
    func put(_ reservation: ReservationRow) throws
    func put(_ slot: SlotRow) throws
    func remove(_ kind: SlotRow.Kind, id: String) throws
    /// Appends; sequence and key must be new.
    func append(_ entries: [LedgerEntry]) throws
    /// Records usage. An older record of the same source and id that is no repeat any more is replaced as what repeats are told by.
    func record(_ usage: [UsageRow]) throws
    /// Adds to windows, making them where they are not there.
    func add(_ windows: [UsageWindowDelta]) throws
    /// Rates a record anew.
    func update(_ usage: UsageRow) throws
    /// Writes how far an event of the provider got.
    func put(_ event: ProviderEventRow) throws
    /// Links a customer to the account; a customer is linked once.
    func link(customer: String) throws
    /// Ties payments and sessions of the provider to the account and to the key of what they bought, of all accounts the
    /// first: all of them or none.
    ///
    /// - Parameter purchases: each once.
    /// - Returns: false where one is tied to another account or key: it has bought something else.
    func tie(purchases: [String], to key: String) throws -> Bool
    func put(_ named: NamedRow) throws
    func remove(_ kind: NamedRow.Kind, _ name: String) throws
    func add(_ deliveries: [DeliveryRow]) throws
    /// Pending usage that is applied by this transaction.
    func removePending(id: String) throws
}

/// A dimension of usage.
package enum UsageDimension: String, Sendable, CaseIterable {
    case model, agent, user, project
}

/// Which recorded usage is asked for.
package struct UsageQuery: Sendable, Hashable {
    package var from: Timestamp?
    package var to: Timestamp?
    package var dimensions: [UsageDimension: String]
    /// The last of the page before.
    package var before: UsageCursor?
    package var limit: Int

    package init(
        from: Timestamp? = nil, to: Timestamp? = nil, dimensions: [UsageDimension: String] = [:],
        before: UsageCursor? = nil, limit: Int
    ) {
        self.from = from
        self.to = to
        self.dimensions = dimensions
        self.before = before
        self.limit = limit
    }
}

/// Where a page of usage ended.
package struct UsageCursor: Sendable, Hashable {
    package var at: Timestamp
    package var source: String
    package var id: String

    package init(at: Timestamp, source: String, id: String) {
        self.at = at
        self.source = source
        self.id = id
    }
}
