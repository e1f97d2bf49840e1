// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// Reservations.
extension SQLiteBillingSession {
    private static let reservationColumns = "id, whole_id, key, whole_key, document, ends_at, created_at"

    func reservation(key: String) throws -> ReservationRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT \(Self.reservationColumns) FROM billing_reservations WHERE account = ? AND key = ?",
            [number, try PackedText.key(key).value]
        ).map(Self.reservation)
    }

    func reservation(id: String) throws -> ReservationRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT \(Self.reservationColumns) FROM billing_reservations WHERE account = ? AND id = ?",
            [number, try PackedText.key(id).value]
        ).map(Self.reservation)
    }

    func endedReservations(at now: Timestamp, limit: Int) throws -> [ReservationRow] {
        guard let number = try knownNumber() else { return [] }
        return try rows(
            """
            SELECT \(Self.reservationColumns) FROM billing_reservations WHERE account = ? AND ends_at <= ?
            ORDER BY ends_at, id LIMIT ?
            """, [number, now.microseconds, max(0, limit)]
        ).map(Self.reservation)
    }

    private static func reservation(_ row: Row) throws -> ReservationRow {
        ReservationRow(
            id: try unpacked(row[0], row[1]), key: try unpacked(row[2], row[3]), document: row[4],
            endsAt: row.optionalTimestamp(5), createdAt: row.timestamp(6))
    }

    func put(_ reservation: ReservationRow) throws {
        let id = try PackedText.key(reservation.id)
        let key = try PackedText.key(reservation.key)
        try execute(
            """
            INSERT INTO billing_reservations (account, id, whole_id, key, whole_key, document, ends_at, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (account, id) DO UPDATE SET key = excluded.key, whole_key = excluded.whole_key,
                document = excluded.document, ends_at = excluded.ends_at, created_at = excluded.created_at
            """,
            [
                try ownNumber(), id.value, id.isWhole ? nil : reservation.id, key.value,
                key.isWhole ? nil : reservation.key, reservation.document, reservation.endsAt?.microseconds,
                reservation.createdAt.microseconds,
            ])
    }
}
