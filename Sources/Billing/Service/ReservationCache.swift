// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Decoded reservations by their stored rows: most are committed soon after they were made, by the process that made them. Bounded.
///
/// A row that differs in anything is decoded, so it does not matter whether what was written is taken back.
final class ReservationCache: Sendable {
    private final class Entry: Sendable {
        let row: ReservationRow
        let reservation: Reservation

        init(_ reservation: Reservation, _ row: ReservationRow) {
            self.row = row
            self.reservation = reservation
        }
    }

    private let entries: Mutex<LRUCache<String, Entry>>

    init(capacity: Int) { entries = Mutex(LRUCache(capacity: capacity)) }

    /// The reservation that a row holds.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    func reservation(_ row: ReservationRow) throws -> Reservation {
        if let entry = entries.withLock({ $0.value(for: row.id) }), entry.row == row { return entry.reservation }
        return try Reservation(row)
    }

    /// Keeps what was written; one that is over is not asked for any more.
    func keep(_ reservation: Reservation, _ row: ReservationRow) {
        entries.withLock { entries in
            if row.endsAt == nil {
                _ = entries.remove(row.id)
            } else {
                _ = entries.insert(Entry(reservation, row), for: row.id)
            }
        }
    }
}
