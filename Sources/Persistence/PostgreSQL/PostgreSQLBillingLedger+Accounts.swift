// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// What workers and operators ask over all accounts.
extension PostgreSQLBillingLedger {
    package func dueAccounts(at now: Timestamp, limit: Int) async throws -> [String] {
        try await rows(
            "SELECT account FROM due_billing_accounts($1, $2)",
            [.integer(now.microseconds), .integer(max(0, limit))], isReadOnly: false
        ).map { try $0.text(0) }
    }

    package func accountsWithEndedReservations(at now: Timestamp, limit: Int) async throws -> [String] {
        try await rows(
            "SELECT account FROM billing_accounts_with_ended_reservations($1, $2)",
            [.integer(now.microseconds), .integer(max(0, limit))]
        ).map { try $0.text(0) }
    }

    package func accounts(after: String?, limit: Int) async throws -> [AccountRow] {
        try await rows(
            "SELECT account, version, document, due_at FROM billing_accounts_after($1, $2)",
            [.text(after ?? ""), .integer(max(0, limit))]
        ).map {
            AccountRow(
                account: try $0.text(0), version: try $0.integer(1), document: try $0.text(2),
                dueAt: try $0.optionalTimestamp(3))
        }
    }

    package func accountVersions(after: String?, limit: Int) async throws -> [AccountVersion] {
        try await rows(
            "SELECT account, version FROM billing_account_versions_after($1, $2)",
            [.text(after ?? ""), .integer(max(0, limit))]
        ).map { AccountVersion(account: try $0.text(0), version: try $0.integer(1)) }
    }

    package func account(ofCustomer customer: String) async throws -> String? {
        try await rows("SELECT account FROM billing_account_of_customer($1)", [.text(customer)]).first?.text(0)
    }

    package func openReservations() async throws -> Int64 {
        try await rows("SELECT count FROM open_billing_reservations()", [])[0].integer(0)
    }
}
