// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import GRDB

extension SQLiteMigrations {
    /// What a payment bought is known over all accounts, and answers under idempotency keys keep their header fields.
    @Sendable static func purchases(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE billing_purchases (
                    purchase TEXT NOT NULL PRIMARY KEY,
                    account INTEGER NOT NULL,
                    key TEXT NOT NULL
                ) STRICT, WITHOUT ROWID;
                INSERT OR IGNORE INTO billing_purchases (purchase, account, key)
                    SELECT 'pi:' || name, account, json_extract(document, '$.key') FROM billing_documents
                    WHERE kind = 'provider_payment' ORDER BY account;
                DELETE FROM billing_documents WHERE kind = 'provider_payment';
                ALTER TABLE idempotency_keys ADD COLUMN fields TEXT;
                """)
    }
}
