// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials
internal import GRDB

/// Accounts, their ledger and usage in the product's SQLite file. What it acknowledged survives a killed process and a power cut; another
/// process may write the same file.
package struct SQLiteBillingLedger: BillingLedger {
    let store: SQLiteStore

    /// Keeps them in that file.
    package init(_ store: SQLiteStore) { self.store = store }

    package func transact<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingTransaction) throws -> Value
    ) async throws -> Value {
        let numbers = store.numbers
        let done = try await writing { db in
            let session = SQLiteBillingSession(db, account: account, numbers: numbers)
            return (value: try body(session), found: session.found)
        }
        numbers.keep(done.found, of: account)
        return done.value
    }

    package func read<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws -> Value {
        let numbers = store.numbers
        return try await reading { db in try body(SQLiteBillingSession(db, account: account, numbers: numbers)) }
    }

    // MARK: - Means

    /// Runs the body in the next transaction, with whatever else waits.
    func writing<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await store.committer.write(body)
        } catch {
            throw Self.fault(error)
        }
    }

    /// Runs the body over one state of the file.
    func reading<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await store.pool.read(body)
        } catch {
            throw Self.fault(error)
        }
    }

    /// What the database says, in the words of the ledger; what a body throws stays what it is.
    private static func fault(_ error: any Error) -> any Error {
        switch error {
        case let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT:
            BillingStoreError(.constraint, "A rule of the database was broken", cause: error)
        case let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode):
            BillingStoreError(.unreadable, "The database is damaged", cause: error)
        case is DatabaseError, is SQLiteStoreError:
            BillingStoreError(.unavailable, "The database did not answer", cause: error)
        case is RowDecodingError: BillingStoreError(.unreadable, "A row cannot be read", cause: error)
        default: error
        }
    }
}
