// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials
internal import GRDB

/// What workers and operators ask over all accounts.
extension SQLiteBillingLedger {
    package func dueAccounts(at now: Timestamp, limit: Int) async throws -> [String] {
        try await reading { db in
            try String.fetchAll(
                db.cachedStatement(
                    sql: "SELECT account FROM billing_accounts WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"),
                arguments: [now.microseconds, max(0, limit)])
        }
    }

    package func accountsWithEndedReservations(at now: Timestamp, limit: Int) async throws -> [String] {
        try await reading { db in
            try String.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT a.account FROM (
                            SELECT account, min(ends_at) AS first
                            FROM billing_reservations INDEXED BY billing_reservations_ends
                            WHERE ends_at <= ? GROUP BY account) r
                        JOIN billing_accounts a ON a.id = r.account ORDER BY r.first, a.id LIMIT ?
                        """), arguments: [now.microseconds, max(0, limit)])
        }
    }

    package func accounts(after: String?, limit: Int) async throws -> [AccountRow] {
        try await reading { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT account, version, document, due_at FROM billing_accounts
                        WHERE account > ? AND version > 0 ORDER BY account LIMIT ?
                        """), arguments: [after ?? "", max(0, limit)]
            ).map {
                AccountRow(account: $0[0], version: $0[1], document: $0[2], dueAt: $0.optionalTimestamp(3))
            }
        }
    }

    package func accountVersions(after: String?, limit: Int) async throws -> [AccountVersion] {
        try await reading { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT account, version FROM billing_accounts
                        WHERE account > ? AND version > 0 ORDER BY account LIMIT ?
                        """), arguments: [after ?? "", max(0, limit)]
            ).map { AccountVersion(account: $0[0], version: $0[1]) }
        }
    }

    package func account(ofCustomer customer: String) async throws -> String? {
        try await reading { db in try SQLiteProviderEvents.account(ofCustomer: customer, db) }
    }

    package func openReservations() async throws -> Int64 {
        try await reading { db in
            try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT count(*) FROM billing_reservations WHERE ends_at IS NOT NULL")) ?? 0
        }
    }
}
