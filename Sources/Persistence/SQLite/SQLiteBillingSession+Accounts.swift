// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB

/// The account itself, its grants, and the places that are taken.
extension SQLiteBillingSession {
    // MARK: - Account

    func account() throws -> AccountRow? {
        try BoundStatement(
            db, "SELECT version, due_at, document FROM billing_accounts WHERE account = ? AND version > 0"
        ).first {
            $0.add(owner)
        } reading: { row in
            AccountRow(
                account: owner, version: row.integer(0), document: row.text(2),
                dueAt: row.optionalInteger(1).map(Timestamp.init(microseconds:)))
        }
    }

    func accountVersion() throws -> Int64 {
        try BoundStatement(db, "SELECT version FROM billing_accounts WHERE account = ?").first {
            $0.add(owner)
        } reading: {
            $0.integer(0)
        } ?? 0
    }

    func put(_ row: AccountRow) throws {
        guard row.account == owner else {
            throw BillingStoreError(.constraint, "A transaction over one account puts another")
        }
        let number = try ownNumber()
        try BoundStatement(
            db,
            "UPDATE billing_accounts SET version = version + 1, due_at = ?, document = ? WHERE id = ? AND version = ?"
        ).run {
            $0.add(row.dueAt?.microseconds)
            $0.add(row.document)
            $0.add(number)
            $0.add(row.version)
        }
        guard db.changesCount == 1 else {
            throw BillingStoreError(.constraint, "The account is not at version \(row.version) any more")
        }
    }

    // MARK: - Grants

    func grant(key: String) throws -> GrantRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT id, key, document, created_at FROM billing_grants WHERE account = ? AND key = ?", [number, key]
        ).map(Self.grant)
    }

    func grant(id: String) throws -> GrantRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT id, key, document, created_at FROM billing_grants WHERE account = ? AND id = ?", [number, id]
        ).map(Self.grant)
    }

    func grants(before: GrantRow?, limit: Int) throws -> [GrantRow] {
        guard let number = try knownNumber() else { return [] }
        guard let before else {
            return try rows(
                """
                SELECT id, key, document, created_at FROM billing_grants WHERE account = ?
                ORDER BY created_at DESC, id DESC LIMIT ?
                """, [number, max(0, limit)]
            ).map(Self.grant)
        }
        return try rows(
            """
            SELECT id, key, document, created_at FROM billing_grants WHERE account = ? AND (created_at, id) < (?, ?)
            ORDER BY created_at DESC, id DESC LIMIT ?
            """, [number, before.createdAt.microseconds, before.id, max(0, limit)]
        ).map(Self.grant)
    }

    private static func grant(_ row: Row) -> GrantRow {
        GrantRow(id: row[0], key: row[1], document: row[2], createdAt: row.timestamp(3))
    }

    func put(_ grant: GrantRow) throws {
        try execute(
            """
            INSERT INTO billing_grants (account, id, key, document, created_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (account, id) DO UPDATE
            SET key = excluded.key, document = excluded.document, created_at = excluded.created_at
            """,
            [
                try ownNumber(), try PackedText.checked(grant.id), try PackedText.checked(grant.key), grant.document,
                grant.createdAt.microseconds,
            ])
    }

    // MARK: - Places

    func slot(_ kind: SlotRow.Kind, id: String) throws -> SlotRow? {
        guard let number = try knownNumber() else { return nil }
        return try row(
            "SELECT id, place, document FROM billing_slots WHERE account = ? AND kind = ? AND id = ?",
            [number, kind.rawValue, id]
        ).map { SlotRow(kind: kind, id: $0[0], order: $0[1], document: $0[2]) }
    }

    func slots(_ kind: SlotRow.Kind, after order: Int64, limit: Int) throws -> [SlotRow] {
        guard let number = try knownNumber() else { return [] }
        return try rows(
            """
            SELECT id, place, document FROM billing_slots WHERE account = ? AND kind = ? AND place > ?
            ORDER BY place, id LIMIT ?
            """, [number, kind.rawValue, order, max(0, limit)]
        ).map { SlotRow(kind: kind, id: $0[0], order: $0[1], document: $0[2]) }
    }

    func put(_ slot: SlotRow) throws {
        try execute(
            """
            INSERT INTO billing_slots (account, kind, id, place, document) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (account, kind, id) DO UPDATE SET place = excluded.place, document = excluded.document
            """, [try ownNumber(), slot.kind.rawValue, try PackedText.checked(slot.id), slot.order, slot.document])
    }

    func remove(_ kind: SlotRow.Kind, id: String) throws {
        guard let number = try knownNumber() else { return }
        try execute(
            "DELETE FROM billing_slots WHERE account = ? AND kind = ? AND id = ?", [number, kind.rawValue, id])
    }
}
