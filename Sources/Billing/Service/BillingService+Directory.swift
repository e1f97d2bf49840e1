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
            let page: [AccountVersion]
            do {
                page = try await ledger.accountVersions(after: last, limit: Self.page)
                let changed = page.filter { $0.version > directory.version(of: $0.account) }
                for row in try await rows(of: changed, after: last) {
                    do {
                        directory.take(try AccountBook(row), version: row.version)
                    } catch {
                        unreadable = error
                    }
                }
            } catch { throw fault(error, "") }
            last = page.count < Self.page ? nil : page.last?.account
        } while last != nil
        if let unreadable { throw fault(unreadable, "") }
    }

    /// Reads accounts of one page: each for itself, or the whole page where many of them are wanted.
    private func rows(of wanted: [AccountVersion], after last: String?) async throws -> [AccountRow] {
        if wanted.count > Self.page / 10 { return try await ledger.accounts(after: last, limit: Self.page) }
        var rows: [AccountRow] = []
        for wanted in wanted {
            if let row = try await ledger.read(wanted.account, { try $0.account() }) { rows.append(row) }
        }
        return rows
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
