// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// What the ledger knows of every account that somebody speaks for, in memory: the pipeline's table is made from it.
///
/// What this process writes is in it at once; what others write is found by reading all accounts again.
package final class AccountDirectory: Sendable {
    private struct State {
        var accounts: [String: KnownAccount] = [:]
        /// Of every account, known or not: what is no newer is not decoded.
        var versions: [String: Int64] = [:]
    }

    private let state = Mutex(State())
    /// Called when anything but credits has changed of an account.
    package let changes = ChangeHook()

    package init() {}

    /// Every account that somebody speaks for.
    package var all: [String: KnownAccount] { state.withLock { $0.accounts } }

    /// What is known of an account; nil where nobody speaks for it.
    package subscript(account: String) -> KnownAccount? { state.withLock { $0.accounts[account] } }

    /// The version of an account that was seen last; 0 = none.
    package func version(of account: String) -> Int64 { state.withLock { $0.versions[account] ?? 0 } }

    /// Takes note of an account as it is stored; an older version than is known changes nothing.
    package func take(_ book: AccountBook, version: Int64) {
        let known = KnownAccount(book)
        let hasChanged = state.withLock { state in
            guard version > state.versions[book.account] ?? 0 else { return false }
            state.versions[book.account] = version
            guard state.accounts[book.account] != known else { return false }
            state.accounts[book.account] = known
            return true
        }
        if hasChanged { changes.call() }
    }
}
