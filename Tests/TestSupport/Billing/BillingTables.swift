// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// What a ledger in memory keeps: a value, so that a transaction is taken back by forgetting it.
struct BillingTables: Sendable {
    /// Something of an account by its name.
    struct Key: Sendable, Hashable {
        var account: String
        var name: String
    }

    /// A window of an account.
    struct WindowKey: Sendable, Hashable {
        var granularity: UsageWindowDelta.Granularity
        var start: Timestamp
        var dimensions: UsageDimensions
    }

    var accounts: [String: AccountRow] = [:]
    var grants: [Key: GrantRow] = [:]
    var reservations: [Key: ReservationRow] = [:]
    var reservationKeys: [Key: String] = [:]
    var slots: [Key: SlotRow] = [:]
    var entries: [String: [LedgerEntry]] = [:]
    var entryKeys: [Key: Int] = [:]
    var usage: [String: [UsageRow]] = [:]
    /// The last record of a source and id: what repeats are told by.
    var usageByID: [Key: UsageRow] = [:]
    var windows: [String: [WindowKey: UsageAmounts]] = [:]
    var customers: [String: String] = [:]
    /// The account and the key that each purchase is tied to.
    var purchases: [String: (account: String, key: String)] = [:]
    var events: [String: ProviderEventRow] = [:]
    var named: [Key: NamedRow] = [:]
    var deliveries: [String: DeliveryRow] = [:]
    var deliveryLeases: [String: Timestamp] = [:]
    var pending: [String: PendingUsageRow] = [:]
    /// Of the installation.
    var documents: [String: String] = [:]

    /// Hands pending usage to somebody.
    mutating func lease(_ row: PendingUsageRow, until end: Timestamp) -> PendingUsageRow {
        var row = row
        row.leaseUntil = end
        row.attempts += 1
        pending[row.id] = row
        return row
    }

    /// - Returns: whether there may be more: as many of a kind were forgotten as the limit lets.
    mutating func prune(_ limits: BillingRetention, limit: Int) -> Bool {
        var more = false
        for (granularity, before) in [
            (UsageWindowDelta.Granularity.hour, limits.hours), (.day, limits.days), (.week, limits.weeks),
        ] {
            guard let before else { continue }
            let old = windows.flatMap { account, kept in
                kept.keys.filter { $0.granularity == granularity && $0.start < before }.map { (account, $0) }
            }
            for (account, key) in old.prefix(limit) { windows[account]?[key] = nil }
            more = more || old.count >= limit
        }
        if let before = limits.reservations {
            let old = reservations.filter { $0.value.endsAt == nil && $0.value.createdAt < before }
            for (key, row) in old.prefix(limit) {
                reservations[key] = nil
                reservationKeys[Key(account: key.account, name: row.key)] = nil
            }
            more = more || old.count >= limit
        }
        if let before = limits.dedup {
            let old = usageByID.filter { $0.value.receivedAt < before }
            for key in old.keys.prefix(limit) { usageByID[key] = nil }
            more = more || old.count >= limit
        }
        if let before = limits.deliveries {
            let old = deliveries.filter { $0.value.nextAt == nil && $0.value.createdAt < before }
            for key in old.keys.prefix(limit) { deliveries[key] = nil }
            more = more || old.count >= limit
        }
        if let before = limits.events {
            let folded: Set<String?> = ["processed", "late"]
            let old = events.filter { _, event in
                event.state == .done && event.receivedAt < before
                    && (event.subscription == nil || !folded.contains(event.outcome))
            }
            for key in old.keys.prefix(limit) { events[key] = nil }
            more = more || old.count > limit
        }
        return more
    }
}
