// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension BillingService {
    /// Accounts in one page.
    private static let page = 500

    /// Reads every account into the directory that is not as it is known there.
    ///
    /// - Throws: `billing.unavailable`, also where one account could not be read: the others are taken all the same.
    package func readAccounts() async throws(Refusal) {
        var unreadable: (any Error)?
        var last: String?
        repeat {
            let rows: [AccountRow]
            do {
                rows = try await ledger.accounts(after: last, limit: Self.page)
            } catch { throw fault(error, "") }
            for row in rows where row.version > directory.version(of: row.account) {
                do {
                    directory.take(try AccountBook(row), version: row.version)
                } catch {
                    unreadable = error
                }
            }
            last = rows.count < Self.page ? nil : rows.last?.account
        } while last != nil
        if let unreadable { throw fault(unreadable, "") }
    }

    /// Reads one account into the directory.
    ///
    /// - Throws: `billing.unavailable`.
    package func readAccount(_ account: String) async throws(Refusal) {
        let row = try await rows(account) { try $0.account() }
        guard let row, row.version > directory.version(of: account) else { return }
        do {
            directory.take(try AccountBook(row), version: row.version)
        } catch { throw fault(error, account) }
    }
}
