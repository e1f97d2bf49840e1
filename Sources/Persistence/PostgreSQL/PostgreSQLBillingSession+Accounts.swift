// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// The account itself, its grants, reservations and the places that are taken.
extension PostgreSQLBillingSession {
    // MARK: - Account

    func account() throws -> AccountRow? {
        try query("SELECT version, document, due_at FROM billing_accounts WHERE tenant_id = $1", [tenant]).first.map {
            AccountRow(
                account: owner, version: try $0.integer(0), document: try $0.text(1), dueAt: try $0.optionalTimestamp(2)
            )
        }
    }

    func accountVersion() throws -> Int64 {
        try query("SELECT version FROM billing_accounts WHERE tenant_id = $1", [tenant]).first?.integer(0) ?? 0
    }

    func put(_ row: AccountRow) throws {
        guard row.account == owner else {
            throw BillingStoreError(.constraint, "A transaction over one account puts another")
        }
        let values: [PostgreSQLValue] = [tenant, .optional(row.dueAt?.microseconds), .text(row.document)]
        let otherwise = "The account is not at version \(row.version) any more"
        if row.version == 0 {
            later(
                """
                INSERT INTO billing_accounts (tenant_id, version, due_at, document) VALUES ($1, 1, $2, $3)
                ON CONFLICT (tenant_id) DO NOTHING
                """, values, expected: 1, otherwise: otherwise)
        } else {
            later(
                """
                UPDATE billing_accounts SET version = version + 1, due_at = $2, document = $3
                WHERE tenant_id = $1 AND version = $4
                """, values + [.integer(row.version)], expected: 1, otherwise: otherwise)
        }
    }

    // MARK: - Grants

    private static let grants = "SELECT id, key, document, created_at FROM billing_grants WHERE tenant_id = $1"

    func grant(key: String) throws -> GrantRow? {
        try query("\(Self.grants) AND key = $2", [tenant, .text(key)]).first.map(Self.grant)
    }

    func grant(id: String) throws -> GrantRow? {
        try query("\(Self.grants) AND id = $2", [tenant, .text(id)]).first.map(Self.grant)
    }

    func grants(before: GrantRow?, limit: Int) throws -> [GrantRow] {
        let limit = PostgreSQLValue.integer(max(0, limit))
        guard let before else {
            return try query("\(Self.grants) ORDER BY created_at DESC, id DESC LIMIT $2", [tenant, limit])
                .map(Self.grant)
        }
        return try query(
            "\(Self.grants) AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $2",
            [tenant, limit, .integer(before.createdAt.microseconds), .text(before.id)]
        ).map(Self.grant)
    }

    private static func grant(_ row: PostgreSQLRow) throws -> GrantRow {
        GrantRow(id: try row.text(0), key: try row.text(1), document: try row.text(2), createdAt: try row.timestamp(3))
    }

    func put(_ grant: GrantRow) throws {
        later(
            """
            INSERT INTO billing_grants (tenant_id, id, key, document, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant_id, id) DO UPDATE
            SET key = excluded.key, document = excluded.document, created_at = excluded.created_at
            """,
            [
                tenant, .text(grant.id), .text(grant.key), .text(grant.document),
                .integer(grant.createdAt.microseconds),
            ])
    }

    // MARK: - Reservations

    private static let reservations = """
        SELECT coalesce(whole_id, id), coalesce(whole_key, key), document, ends_at, created_at
        FROM billing_reservations WHERE tenant_id = $1
        """

    func reservation(key: String) throws -> ReservationRow? {
        try query("\(Self.reservations) AND key = $2", [tenant, .text(BillingKey.of(key).key)]).first
            .map(Self.reservation)
    }

    func reservation(id: String) throws -> ReservationRow? {
        try query("\(Self.reservations) AND id = $2", [tenant, .text(BillingKey.of(id).key)]).first
            .map(Self.reservation)
    }

    func endedReservations(at now: Timestamp, limit: Int) throws -> [ReservationRow] {
        try query(
            "\(Self.reservations) AND ends_at <= $2 ORDER BY ends_at, id LIMIT $3",
            [tenant, .integer(now.microseconds), .integer(max(0, limit))]
        ).map(Self.reservation)
    }

    private static func reservation(_ row: PostgreSQLRow) throws -> ReservationRow {
        ReservationRow(
            id: try row.text(0), key: try row.text(1), document: try row.text(2),
            endsAt: try row.optionalTimestamp(3), createdAt: try row.timestamp(4))
    }

    func put(_ reservation: ReservationRow) throws {
        let (id, key) = (BillingKey.of(reservation.id), BillingKey.of(reservation.key))
        later(
            """
            INSERT INTO billing_reservations
                (tenant_id, id, whole_id, key, whole_key, document, ends_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (tenant_id, id) DO UPDATE SET key = excluded.key, whole_key = excluded.whole_key,
                document = excluded.document, ends_at = excluded.ends_at, created_at = excluded.created_at
            """,
            [
                tenant, .text(id.key), .optional(id.whole), .text(key.key), .optional(key.whole),
                .text(reservation.document), .optional(reservation.endsAt?.microseconds),
                .integer(reservation.createdAt.microseconds),
            ])
    }

    // MARK: - Places

    func slot(_ kind: SlotRow.Kind, id: String) throws -> SlotRow? {
        try query(
            "SELECT id, place, document FROM billing_slots WHERE tenant_id = $1 AND kind = $2 AND id = $3",
            [tenant, .text(kind.rawValue), .text(id)]
        ).first.map { SlotRow(kind: kind, id: try $0.text(0), order: try $0.integer(1), document: try $0.text(2)) }
    }

    func slots(_ kind: SlotRow.Kind, after order: Int64, limit: Int) throws -> [SlotRow] {
        try query(
            """
            SELECT id, place, document FROM billing_slots WHERE tenant_id = $1 AND kind = $2 AND place > $3
            ORDER BY place, id LIMIT $4
            """, [tenant, .text(kind.rawValue), .integer(order), .integer(max(0, limit))]
        ).map { SlotRow(kind: kind, id: try $0.text(0), order: try $0.integer(1), document: try $0.text(2)) }
    }

    func put(_ slot: SlotRow) throws {
        later(
            """
            INSERT INTO billing_slots (tenant_id, kind, id, place, document) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (tenant_id, kind, id) DO UPDATE SET place = excluded.place, document = excluded.document
            """, [tenant, .text(slot.kind.rawValue), .text(slot.id), .integer(slot.order), .text(slot.document)])
    }

    func remove(_ kind: SlotRow.Kind, id: String) throws {
        later(
            "DELETE FROM billing_slots WHERE tenant_id = $1 AND kind = $2 AND id = $3",
            [tenant, .text(kind.rawValue), .text(id)])
    }
}
