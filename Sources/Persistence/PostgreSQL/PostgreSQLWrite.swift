// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// One transaction that writes: it knows in whose scope it stands, and what has to be announced at its end.
final class PostgreSQLWrite {
    private let transaction: PostgreSQLTransaction
    private var present: String?
    /// How many rows were changed so far.
    private(set) var changes = 0
    private var announcements: [StoreChange] = []
    private var announced: Set<StoreChange> = []

    init(_ transaction: PostgreSQLTransaction) { self.transaction = transaction }

    /// Goes on among the rows of a tenant, nil being those of the installation itself.
    ///
    /// - Returns: what `tenant_id` holds there; every statement names it itself too.
    /// - Throws: `PostgreSQLError` with `missingTenant` or `reservedTenant`, before the database is asked.
    func enter(_ tenant: String?) throws(PostgreSQLError) -> PostgreSQLValue {
        let scope = TenantScope.owner(tenant)
        guard let id = try scope.tenantID() else { throw PostgreSQLError(.missingTenant, "A write is in no tenant") }
        if present != id {
            try transaction.enter(scope)
            present = id
        }
        return .text(id)
    }

    /// Runs a query.
    func query(_ sql: String, _ parameters: [PostgreSQLValue]) throws(PostgreSQLError) -> [PostgreSQLRow] {
        try transaction.query(sql, parameters)
    }

    /// Runs a statement.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ parameters: [PostgreSQLValue]) throws(PostgreSQLError) -> Int {
        let count = try transaction.execute(sql, parameters)
        changes += count
        return count
    }

    /// Runs several statements in one round trip.
    ///
    /// - Returns: the answer to each.
    func run(_ statements: [PostgreSQLStatement]) throws(PostgreSQLError) -> [PostgreSQLResult] {
        let results = try transaction.run(statements)
        for result in results { changes += result.affected }
        return results
    }

    /// Remembers that an entity has changed; every replica is told when the transaction is committed.
    func announce(_ kind: StoreChange.Kind, _ key: String) {
        let change = StoreChange(kind, key)
        if announced.insert(change).inserted { announcements.append(change) }
    }

    /// Writes down what was remembered. The last thing of a transaction.
    func announceAll() throws(PostgreSQLError) {
        try transaction.announce(announcements)
        announcements = []
    }
}
