// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension Slot {
    /// As it is stored.
    package var row: SlotRow {
        SlotRow(
            kind: kind, id: id, order: order,
            document: JSONWriter.document(reserving: 96) { writer in
                writer.member("taken", takenAt)
                writer.member("premium", isPremium)
                if state != .active { writer.member("state", state.rawValue) }
                writer.member("charged", chargedMicroCredits)
                writer.member("paid", paidPeriods)
            })
    }

    /// Reads a stored one; members that are not known are passed over.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    package init(_ row: SlotRow) throws {
        guard let object = (try? JSONParser.parse(text: row.document))?.objectValue,
            let taken = object["taken"]?.storedInstant,
            let state = State(rawValue: object["state"]?.stringValue ?? State.active.rawValue)
        else { throw BillingStoreError.unreadable("slot") }
        self.init(
            kind: row.kind, id: row.id, order: row.order, isPremium: object["premium"]?.boolValue ?? false,
            takenAt: taken, state: state, chargedMicroCredits: object["charged"]?.intValue ?? 0)
        paidPeriods = object["paid"]?.storedTexts ?? []
    }
}
