// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What operations on one account brought about, to be stored in one transaction with the account.
package struct AccountChanges: Sendable {
    /// When they are written.
    package let recordedAt: Timestamp
    /// Who does it: a subject, or `system`.
    package var actor: String
    /// In their order; the legs of each sum to 0.
    package private(set) var entries: [LedgerEntry] = []
    /// Grants that are new, or whose end has come; each once, as it is now.
    package private(set) var grants: [Grant] = []
    /// Reservations that are new or changed; of two with the same id the later one holds.
    package private(set) var reservations: [Reservation] = []
    package private(set) var slots: [Slot] = []
    package private(set) var removedSlots: [Slot] = []
    /// What the owner is told.
    package private(set) var events: [AccountEvent] = []
    /// Whether the account itself differs.
    package var isAccountChanged = false

    package init(recordedAt: Timestamp, actor: String = "system") {
        self.recordedAt = recordedAt
        self.actor = actor
    }

    /// Whether nothing has to be stored.
    package var isEmpty: Bool {
        !isAccountChanged && entries.isEmpty && grants.isEmpty && reservations.isEmpty && slots.isEmpty
            && removedSlots.isEmpty && events.isEmpty
    }

    mutating func add(_ entry: LedgerEntry) {
        entries.append(entry)
        isAccountChanged = true
    }

    mutating func put(_ grant: Grant) {
        if let index = grants.firstIndex(where: { $0.id == grant.id }) {
            grants[index] = grant
        } else {
            grants.append(grant)
        }
    }

    mutating func put(_ reservation: Reservation) {
        if let last = reservations.indices.last, reservations[last].id == reservation.id {
            reservations[last] = reservation
        } else {
            reservations.append(reservation)
        }
    }

    mutating func put(_ slot: Slot) {
        if let index = slots.firstIndex(where: { $0.kind == slot.kind && $0.id == slot.id }) {
            slots[index] = slot
        } else {
            slots.append(slot)
        }
    }

    mutating func remove(_ slot: Slot) {
        slots.removeAll { $0.kind == slot.kind && $0.id == slot.id }
        removedSlots.append(slot)
    }

    mutating func tell(_ event: AccountEvent) { events.append(event) }
}
