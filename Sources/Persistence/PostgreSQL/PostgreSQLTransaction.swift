// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One transaction, on the thread of its connection. It is of no use after the body that it was handed to.
package final class PostgreSQLTransaction {
    private let connection: PostgreSQLConnection
    private let setsContext: Bool
    /// What goes before the next statement, in the same round trip.
    private var prefix: [PostgreSQLConnection.Command]
    /// The first error: the server ignores every statement after it.
    private(set) var failure: PostgreSQLError?
    /// Whether the server was asked to commit.
    private(set) var isCommitting = false
    /// Whether anything was sent.
    private var isOpen = false
    /// Whether it has changes to tell of.
    private(set) var hasAnnounced = false

    init(
        _ connection: PostgreSQLConnection, scope: TenantScope, isReadOnly: Bool, setsContext: Bool
    ) throws(PostgreSQLError) {
        self.connection = connection
        self.setsContext = setsContext
        // What is only read is read in one state of the database, however many statements it takes.
        let begin = isReadOnly ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN"
        prefix = [.statement(PostgreSQLStatement(begin))]
        // A new transaction is in no context: there is nothing to take back.
        if scope != .none { try enter(scope) }
    }

    /// Runs a query; its text is a constant, what varies is bound (`$1`, `$2`, …).
    ///
    /// - Throws: `PostgreSQLError`. After one every further statement of this transaction fails with the same.
    package func query(_ sql: String, _ parameters: [PostgreSQLValue] = []) throws(PostgreSQLError) -> [PostgreSQLRow] {
        try run([PostgreSQLStatement(sql, parameters)])[0].rows
    }

    /// Runs a statement.
    ///
    /// - Returns: how many rows it changed.
    /// - Throws: as `query`.
    @discardableResult
    package func execute(_ sql: String, _ parameters: [PostgreSQLValue] = []) throws(PostgreSQLError) -> Int {
        try run([PostgreSQLStatement(sql, parameters)])[0].affected
    }

    /// Runs several statements in one round trip.
    ///
    /// - Returns: the answer to each.
    /// - Throws: as `query`, when one of them fails; the server then does none of those after it.
    package func run(_ statements: [PostgreSQLStatement]) throws(PostgreSQLError) -> [PostgreSQLResult] {
        guard !statements.isEmpty else { return [] }
        let count = prefix.count
        let results = try exchange(prefix + statements.map { .statement($0) })
        guard results.count == count + statements.count else {
            throw PostgreSQLError(.unreadable, "\(results.count) answers to \(count + statements.count) statements")
        }
        return Array(results.dropFirst(count))
    }

    /// Goes on in another scope: from the next statement on its rows are the ones that are seen and written.
    ///
    /// - Throws: `PostgreSQLError` with `missingTenant` or `reservedTenant`.
    package func enter(_ scope: TenantScope) throws(PostgreSQLError) {
        let tenant = try scope.tenantID()
        guard setsContext else { return }
        prefix.append(
            .statement(
                PostgreSQLStatement(
                    "SELECT pg_catalog.set_config('app.current_tenant_id', $1, true)", [.text(tenant ?? "")])))
    }

    /// Tells every replica, when this transaction is committed, that an entity has changed.
    package func announce(kind: String, key: String) throws(PostgreSQLError) {
        try announce(
            PostgreSQLStatement("INSERT INTO changes (kind, key) VALUES ($1, $2)", [.text(kind), .text(key)]))
    }

    /// Writes changes down with a statement, and has every replica woken up when this transaction is committed.
    func announce(_ changes: PostgreSQLStatement) throws(PostgreSQLError) {
        _ = try run([
            changes, PostgreSQLStatement("SELECT pg_catalog.pg_notify($1, '')", [.text(Self.changesChannel)]),
        ])
        hasAnnounced = true
    }

    /// The channel on which a change is told.
    package static let changesChannel = "tollgate_changes"

    /// Runs a text of several statements without values, such as a migration.
    func runScript(_ text: String) throws(PostgreSQLError) {
        if !prefix.isEmpty { _ = try exchange(prefix) }
        try guarded { () throws(PostgreSQLError) in try connection.runScript(text) }
    }

    // MARK: - The end

    /// Commits what was done. A body that has seen a statement fail and went on is not committed.
    ///
    /// - Throws: `PostgreSQLError`; `outcomeUnknown` when nobody can say whether it was kept.
    func commit(isReadOnly: Bool) throws(PostgreSQLError) {
        if let failure { throw failure }
        guard isOpen else { return }
        isCommitting = true
        do {
            _ = try exchange([.statement(PostgreSQLStatement("COMMIT"))])
        } catch  where error.endsConnection && !isReadOnly {
            throw PostgreSQLError(
                .outcomeUnknown, "The connection was lost during COMMIT: whether it was kept is not known", cause: error
            )
        }
    }

    /// Takes back what was done.
    ///
    /// - Returns: whether the connection can be used on.
    func rollBack() -> Bool {
        if failure?.endsConnection == true { return false }
        guard isOpen, !connection.isIdle else { return connection.isUsable() }
        do {
            _ = try connection.exchange([.direct(PostgreSQLStatement("ROLLBACK"))])
        } catch {
            return false
        }
        return connection.isUsable()
    }

    /// Whether it may simply be done again: nothing of it was kept, and the reason was the connection or another transaction.
    var mayRunAgain: Bool {
        guard let failure else { return false }
        if failure.code == .serialization { return true }
        guard !isCommitting else { return false }
        return failure.code == .unavailable || failure.sqlState.map(PostgreSQLState.isStale) ?? false
    }

    private func exchange(
        _ commands: [PostgreSQLConnection.Command]
    ) throws(PostgreSQLError) -> [PostgreSQLResult] {
        prefix = []
        var results: [PostgreSQLResult] = []
        try guarded { () throws(PostgreSQLError) in results = try connection.exchange(commands) }
        return results
    }

    private func guarded(_ body: () throws(PostgreSQLError) -> Void) throws(PostgreSQLError) {
        if let failure { throw failure }
        isOpen = true
        do {
            try body()
        } catch {
            failure = error
            throw error
        }
    }
}
