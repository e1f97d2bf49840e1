// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// Reservations.
extension SQLiteBillingSession {
    private static let reservationColumns = "id, whole_id, key, whole_key, document, ends_at, created_at"

    private static let byKey = """
        SELECT \(reservationColumns) FROM billing_reservations WHERE account = ? AND key = ?
        """
    private static let byID = """
        SELECT \(reservationColumns) FROM billing_reservations WHERE account = ? AND id = ?
        """
    private static let replacement = """
        INSERT INTO billing_reservations (account, id, whole_id, key, whole_key, document, ends_at, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (account, id) DO UPDATE SET key = excluded.key, whole_key = excluded.whole_key,
            document = excluded.document, ends_at = excluded.ends_at, created_at = excluded.created_at
        """

    func reservation(key: String) throws -> ReservationRow? { try reservation(Self.byKey, key) }

    func reservation(id: String) throws -> ReservationRow? { try reservation(Self.byID, id) }

    private func reservation(_ sql: String, _ text: String) throws -> ReservationRow? {
        guard let number = try knownNumber() else { return nil }
        let value = try PackedText.key(text).value
        return try BoundStatement(db, sql).first {
            $0.add(number)
            $0.add(value)
        } reading: { row in
            ReservationRow(
                id: try Self.unpacked(row.value(0), row.optionalText(1)),
                key: try Self.unpacked(row.value(2), row.optionalText(3)), document: row.text(4),
                endsAt: row.optionalInteger(5).map(Timestamp.init(microseconds:)),
                createdAt: Timestamp(microseconds: row.integer(6)))
        }
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
        let number = try ownNumber()
        try BoundStatement(db, Self.replacement).run {
            $0.add(number)
            $0.add(id.value)
            $0.add(id.isWhole ? nil : reservation.id)
            $0.add(key.value)
            $0.add(key.isWhole ? nil : reservation.key)
            $0.add(reservation.document)
            $0.add(reservation.endsAt?.microseconds)
            $0.add(reservation.createdAt.microseconds)
        }
    }
}
