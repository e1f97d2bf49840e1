// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials

/// Accounts, their ledger and usage in PostgreSQL, which several replicas share.
package struct PostgreSQLBillingLedger: BillingLedger {
    let database: PostgreSQLDatabase
    /// Each account is always in the same one: bodies of one account run one after the other, those of others beside them.
    private let committers: [PostgreSQLCommitter]
    /// How many transactions run at once; the other connections are for what reads.
    private static let lanes = 4

    /// Keeps them in that database.
    package init(_ database: PostgreSQLDatabase) {
        self.database = database
        let lanes = max(1, min(Self.lanes, database.settings.poolSize - 1))
        committers = (0..<lanes).map { _ in PostgreSQLCommitter(database) }
    }

    package func transact<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingTransaction) throws -> Value
    ) async throws -> Value {
        try await mapped {
            // A tenant that is none is an error before anybody waits for it.
            _ = try TenantScope.tenant(account).tenantID()
            return try await committer(of: account).write(order: account, locks: ["billing/\(account)"]) { write in
                let session = PostgreSQLBillingSession(write, account: account)
                let value = try body(session)
                try session.flush()
                return value
            }
        }
    }

    package func read<Value: Sendable>(
        _ account: String, _ body: @escaping @Sendable (any BillingReader) throws -> Value
    ) async throws -> Value {
        try await mapped {
            try await database.transaction(.tenant(account), isReadOnly: true) { transaction in
                try body(PostgreSQLBillingSession(PostgreSQLWrite(transaction), account: account))
            }
        }
    }

    // MARK: - Means

    private func committer(of account: String) -> PostgreSQLCommitter {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in account.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return committers[Int(hash % UInt64(committers.count))]
    }

    /// Runs what asks over all accounts; a function of the schema may write there.
    func rows(
        _ sql: String, _ parameters: [PostgreSQLValue], isReadOnly: Bool = true
    ) async throws -> [PostgreSQLRow] {
        try await mapped {
            try await database.transaction(.none, isReadOnly: isReadOnly) { try $0.query(sql, parameters) }
        }
    }

    func mapped<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch {
            throw PostgreSQLBillingSession.fault(error)
        }
    }
}
