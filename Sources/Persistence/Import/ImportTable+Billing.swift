// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

// Accounts, their ledger and what belongs to them. A file gives accounts and texts numbers; there they are what they say.
extension ImportTable {
    /// The tables of billing.
    static let billing = [
        billingAccounts, billingGrants, billingReservations, billingSlots, billingDocuments, billingEntries,
        billingUsage, billingUsageKeys, billingWindows, billingDimensionValues, billingDimensionCounts,
        billingProviderEvents, billingCustomers, billingPurchases, billingDeliveries, billingPendingUsage,
    ]

    private static let tenant: Column = ("tenant_id", "text")
    /// How many bits of an entry's number are its sequence.
    private static let sequenceMask = "1099511627775"

    private static func account(_ column: String) -> String {
        "(SELECT account FROM billing_accounts a WHERE a.id = \(column))"
    }

    private static func text(_ column: String) -> String {
        "(SELECT text FROM billing_texts x WHERE x.id = \(column))"
    }

    /// The account of a row, in its first column.
    private static func owner(_ row: Row, _ what: String) throws -> String {
        guard let account: String = row[0] else {
            throw StoreImportError(.unreadable, "\(what) is of no account")
        }
        guard account != TenantScope.platformTenant else {
            throw StoreImportError(.unreadable, "An account is named '\(account)', which no tenant can be")
        }
        return account
    }

    /// A text that was packed.
    private static func unpacked(_ row: Row, _ column: String, whole: String? = nil) throws -> String {
        let value: DatabaseValue = row[column]
        let entire: String? = whole.flatMap { row[$0] }
        return try SQLiteBillingSession.unpacked(value, entire)
    }

    private static func optional(_ row: Row, _ column: String) throws -> String? {
        let value: DatabaseValue = row[column]
        return try SQLiteBillingSession.optional(value)
    }

    /// A number that must be there.
    private static func whole(_ row: Row, _ column: String) -> String? {
        let value: Int64? = row[column]
        return number(value)
    }

    private static func plain(_ row: Row, _ columns: [String]) -> [String?] { columns.map { row[$0] as String? } }

    private static func wholes(_ row: Row, _ columns: [String]) -> [String?] { columns.map { whole(row, $0) } }

    /// Numbers that are given to accounts before anything is known of them are nobody's.
    static let billingAccounts = ImportTable(
        name: "billing_accounts",
        columns: [tenant, ("version", "bigint"), ("due_at", "bigint"), ("document", "text")], keys: ["tenant_id"],
        source: "SELECT account, version, due_at, document FROM billing_accounts WHERE version > 0"
    ) { row in
        ImportRow([try owner(row, "An account")] + wholes(row, ["version", "due_at"]) + plain(row, ["document"]))
    }

    static let billingGrants = ImportTable(
        name: "billing_grants",
        columns: [tenant, ("id", "text"), ("key", "text"), ("created_at", "bigint"), ("document", "text")],
        keys: ["tenant_id", "id"],
        source: "SELECT \(account("g.account")), id, key, created_at, document FROM billing_grants g"
    ) { row in
        ImportRow(
            [try owner(row, "A grant")] + plain(row, ["id", "key"]) + wholes(row, ["created_at"])
                + plain(row, ["document"]))
    }

    static let billingReservations = ImportTable(
        name: "billing_reservations",
        columns: [
            tenant, ("id", "text"), ("whole_id", "text"), ("key", "text"), ("whole_key", "text"),
            ("ends_at", "bigint"), ("created_at", "bigint"), ("document", "text"),
        ], keys: ["tenant_id", "id"],
        source: """
            SELECT \(account("r.account")), id, whole_id, key, whole_key, ends_at, created_at, document
            FROM billing_reservations r
            """
    ) { row in
        let id = BillingKey.of(try unpacked(row, "id", whole: "whole_id"))
        let key = BillingKey.of(try unpacked(row, "key", whole: "whole_key"))
        return ImportRow(
            [try owner(row, "A reservation"), id.key, id.whole, key.key, key.whole]
                + wholes(row, ["ends_at", "created_at"]) + plain(row, ["document"]))
    }

    static let billingSlots = ImportTable(
        name: "billing_slots",
        columns: [tenant, ("kind", "text"), ("id", "text"), ("place", "bigint"), ("document", "text")],
        keys: ["tenant_id", "kind", "id"],
        source: "SELECT \(account("s.account")), kind, id, place, document FROM billing_slots s"
    ) { row in
        ImportRow(
            [try owner(row, "A slot")] + plain(row, ["kind", "id"]) + wholes(row, ["place"])
                + plain(row, ["document"]))
    }

    /// The documents of the installation among them, which are of no account.
    static let billingDocuments = ImportTable(
        name: "billing_documents",
        columns: [tenant, ("kind", "text"), ("name", "text"), ("document", "text")],
        keys: ["tenant_id", "kind", "name"],
        source: """
            SELECT \(account("d.account")), kind, name, document, d.account AS number FROM billing_documents d
            """
    ) { row in
        let isInstallations = (row["number"] as Int64) == 0
        let tenant = isInstallations ? TenantScope.platformTenant : try owner(row, "A document")
        return ImportRow([tenant] + plain(row, ["kind", "name", "document"]))
    }

    static let billingEntries = ImportTable(
        name: "billing_entries",
        columns: [
            tenant, ("sequence", "bigint"), ("key", "text"), ("whole_key", "text"), ("id", "text"), ("kind", "text"),
            ("at", "bigint"), ("recorded_at", "bigint"), ("legs", "text"), ("reference", "text"),
            ("list_micro_usd", "bigint"), ("charge_micro_usd", "bigint"), ("price_version", "text"),
            ("actor", "text"), ("balance_after", "bigint"),
        ], keys: ["tenant_id", "sequence"],
        source: """
            SELECT \(account("e.account")), e.id & \(sequenceMask) AS sequence, key, whole_key, entry_id, kind, at,
                recorded_at, legs, reference, list_micro_usd, charge_micro_usd, \(text("e.price_version")) AS version,
                \(text("e.actor")) AS actor_text, balance_after
            FROM billing_entries e ORDER BY e.id
            """
    ) { row in
        let key = BillingKey.of(try unpacked(row, "key", whole: "whole_key"))
        let (sequence, actor) = (whole(row, "sequence"), row["actor_text"] as String?)
        let head: [String?] = [
            try owner(row, "A ledger entry"), sequence, key.key, key.whole, try unpacked(row, "entry_id"), row["kind"],
        ]
        return ImportRow(
            head + wholes(row, ["at", "recorded_at"]) + [row["legs"], try optional(row, "reference")]
                + wholes(row, ["list_micro_usd", "charge_micro_usd"]) + [row["version"], actor]
                + wholes(row, ["balance_after"]))
    }
}

// What was used.
extension ImportTable {
    private static let numbers: [Column] = UsageColumns.amounts.map { ($0, "bigint") }
    private static let dimensions = [
        text("u.model") + " AS model_text", text("u.agent") + " AS agent_text", text("u.user") + " AS user_text",
        text("u.project") + " AS project_text",
    ].joined(separator: ", ")
    private static let dimensionTexts = ["model_text", "agent_text", "user_text", "project_text"]
    private static let dimensionColumns: [Column] = [
        ("model", "text"), ("agent", "text"), ("user_name", "text"), ("project", "text"),
    ]

    /// With the numbers that say in which order records were taken.
    static let billingUsage = ImportTable(
        name: "billing_usage",
        columns: [("number", "bigint"), tenant, ("kind", "text"), ("source", "text"), ("event", "text")]
            + [("whole_source", "text"), ("whole_event", "text"), ("digest", "text")]
            + [("at", "bigint"), ("received_at", "bigint")] + dimensionColumns + numbers
            + [("uncollected", "bigint"), ("is_quarantined", "boolean"), ("price_version", "text")]
            + [("reservation", "text"), ("session", "text"), ("task", "text")],
        keys: ["number"],
        source: """
            SELECT \(account("u.account")), u.id AS number, kind, \(text("u.source")) AS source_text, event, whole_event,
                digest, at, received_at, \(dimensions), \(UsageColumns.amountList), uncollected, is_quarantined,
                \(text("u.price_version")) AS version, reservation, session, task
            FROM billing_usage u ORDER BY u.id
            """, identity: "number"
    ) { row in
        let source = BillingKey.of(row["source_text"])
        let event = BillingKey.of(try unpacked(row, "event", whole: "whole_event"))
        let digest: DatabaseValue = row["digest"]
        let head: [String?] = [
            whole(row, "number"), try owner(row, "A record of usage"), row["kind"], source.key, event.key,
            source.whole, event.whole, try SQLiteBillingSession.digest(digest),
        ]
        let tail: [String?] = [
            flag(row["is_quarantined"] as Int64 == 1), row["version"], try optional(row, "reservation"),
            try optional(row, "session"), try optional(row, "task"),
        ]
        return ImportRow(
            head + wholes(row, ["at", "received_at"]) + plain(row, dimensionTexts)
                + wholes(row, UsageColumns.amounts + ["uncollected"]) + tail)
    }

    static let billingUsageKeys = ImportTable(
        name: "billing_usage_keys",
        columns: [
            tenant, ("source", "text"), ("event", "text"), ("usage", "bigint"), ("received_at", "bigint"),
        ], keys: ["tenant_id", "source", "event"],
        source: """
            SELECT \(account("k.account")), \(text("k.source")) AS source_text, u.event, u.whole_event, k.usage,
                u.received_at
            FROM billing_usage_keys k JOIN billing_usage u ON u.id = k.usage
            """
    ) { row in
        let event = BillingKey.of(try unpacked(row, "event", whole: "whole_event"))
        return ImportRow(
            [try owner(row, "A key of usage"), BillingKey.of(row["source_text"]).key, event.key]
                + wholes(row, ["usage", "received_at"]))
    }

    static let billingWindows = ImportTable(
        name: "billing_windows",
        columns: [tenant, ("granularity", "smallint"), ("start", "bigint")] + dimensionColumns + numbers,
        keys: ["tenant_id", "granularity", "start", "model", "agent", "user_name", "project"],
        source: """
            SELECT \(account("u.account")), granularity, start, \(dimensions), \(UsageColumns.amountList)
            FROM billing_windows u
            """
    ) { row in
        ImportRow(
            [try owner(row, "A window")] + wholes(row, ["granularity", "start"]) + plain(row, dimensionTexts)
                + wholes(row, UsageColumns.amounts))
    }

    static let billingDimensionValues = ImportTable(
        name: "billing_dimension_values",
        columns: [tenant, ("dimension", "text"), ("day", "bigint"), ("value", "text")],
        keys: ["tenant_id", "dimension", "day", "value"],
        source: """
            SELECT \(account("v.account")), dimension, day, \(text("v.value")) AS value_text
            FROM billing_dimension_values v
            """
    ) { row in
        ImportRow(
            [try owner(row, "A value of a dimension"), try dimension(row)] + wholes(row, ["day"])
                + plain(row, ["value_text"]))
    }

    static let billingDimensionCounts = ImportTable(
        name: "billing_dimension_counts",
        columns: [tenant, ("dimension", "text"), ("day", "bigint"), ("count", "bigint")],
        keys: ["tenant_id", "dimension", "day"],
        source: "SELECT \(account("c.account")), dimension, day, count FROM billing_dimension_counts c"
    ) { row in
        ImportRow([try owner(row, "A count of a dimension"), try dimension(row)] + wholes(row, ["day", "count"]))
    }

    private static func dimension(_ row: Row) throws -> String {
        let number: Int64 = row["dimension"]
        guard let dimension = UsageDimension.allCases.first(where: { SQLiteBillingSession.number($0) == number })
        else { throw StoreImportError(.unreadable, "There is no dimension \(number)") }
        return dimension.rawValue
    }
}

// What comes from outside and goes there.
extension ImportTable {
    static let billingProviderEvents = ImportTable(
        name: "billing_provider_events",
        columns: [
            tenant, ("id", "text"), ("type", "text"), ("created", "bigint"), ("state", "text"), ("outcome", "text"),
            ("account", "text"), ("customer", "text"), ("subscription", "text"), ("document", "text"),
            ("lease_until", "bigint"), ("next_at", "bigint"), ("attempts", "bigint"), ("received_at", "bigint"),
        ], keys: ["tenant_id", "id"], source: "SELECT \(SQLiteProviderEvents.columns) FROM billing_provider_events"
    ) { row in
        ImportRow(
            [TenantScope.platformTenant] + plain(row, ["id", "type"]) + wholes(row, ["created"])
                + plain(row, ["state", "outcome", "account", "customer", "subscription", "document"])
                + wholes(row, ["lease_until", "next_at", "attempts", "received_at"]))
    }

    static let billingCustomers = ImportTable(
        name: "billing_customers", columns: [tenant, ("customer", "text")], keys: ["customer"],
        source: "SELECT \(account("c.account")), customer FROM billing_customers c"
    ) { row in
        ImportRow([try owner(row, "A customer of the provider")] + plain(row, ["customer"]))
    }

    static let billingPurchases = ImportTable(
        name: "billing_purchases", columns: [tenant, ("purchase", "text"), ("key", "text")], keys: ["purchase"],
        source: "SELECT \(account("p.account")), purchase, key FROM billing_purchases p"
    ) { row in
        ImportRow([try owner(row, "A purchase")] + plain(row, ["purchase", "key"]))
    }

    static let billingDeliveries = ImportTable(
        name: "billing_deliveries",
        columns: [
            tenant, ("id", "text"), ("endpoint", "text"), ("message", "text"), ("type", "text"), ("body", "text"),
            ("attempts", "bigint"), ("next_at", "bigint"), ("lease_until", "bigint"), ("state", "text"),
            ("last_status", "bigint"), ("created_at", "bigint"),
        ], keys: ["id"],
        source: """
            SELECT \(account("d.account")), id, endpoint, message, type, body, attempts, next_at, lease_until, state,
                last_status, created_at
            FROM billing_deliveries d
            """
    ) { row in
        ImportRow(
            [try owner(row, "A webhook")] + plain(row, ["id", "endpoint", "message", "type", "body"])
                + wholes(row, ["attempts", "next_at", "lease_until"]) + plain(row, ["state"])
                + wholes(row, ["last_status", "created_at"]))
    }

    static let billingPendingUsage = ImportTable(
        name: "billing_pending_usage",
        columns: [
            tenant, ("id", "text"), ("payload", "text"), ("received_at", "bigint"), ("attempts", "bigint"),
            ("lease_until", "bigint"),
        ], keys: ["id"],
        source: """
            SELECT \(account("p.account")), id, payload, received_at, attempts, lease_until
            FROM billing_pending_usage p
            """
    ) { row in
        ImportRow(
            [try owner(row, "Usage that waits")] + plain(row, ["id", "payload"])
                + wholes(row, ["received_at", "attempts", "lease_until"]))
    }
}
