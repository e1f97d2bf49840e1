// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CPQ
internal import Essentials

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// One connection of libpq, which belongs to one thread and blocks it. Every wait has an end, also when the other side falls silent.
final class PostgreSQLConnection {
    private let handle: OpaquePointer
    private let settings: PostgreSQLSettings
    private let clock: any MonotonicClock
    /// The names of prepared statements by their texts.
    private var prepared: [String: String] = [:]
    /// The most statements that are kept prepared; others are sent as they are.
    private static let maximumPrepared = 512

    /// Connects and sets the session up.
    ///
    /// - Throws: `PostgreSQLError` with `unavailable`.
    init(_ settings: PostgreSQLSettings, clock: any MonotonicClock) throws(PostgreSQLError) {
        self.settings = settings
        self.clock = clock
        guard let handle = Self.connect(settings) else {
            throw PostgreSQLError(.unavailable, "No memory for a connection")
        }
        self.handle = handle
        guard PQstatus(handle) == CONNECTION_OK else {
            throw PostgreSQLError(
                .unavailable,
                "No connection to \(settings.address): "
                    + settings.address.redacted(String(cString: PQerrorMessage(handle))))
        }
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
        try setUpSession()
    }

    deinit { PQfinish(handle) }

    private static func connect(_ settings: PostgreSQLSettings) -> OpaquePointer? {
        // Of one keyword the last value counts: what stands before the address are defaults for it.
        let options: [(String, String)] = [
            ("connect_timeout", String(max(2, settings.connectTimeout.wholeSeconds))),
            ("keepalives_idle", "30"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", String((settings.statementTimeout + settings.networkGrace).wholeMicroseconds / 1000)),
            ("fallback_application_name", settings.applicationName),
            ("dbname", settings.address.text.revealed), ("client_encoding", "UTF8"),
        ]
        return CStrings.with(options.map { $0.0 }) { keywords in
            CStrings.with(options.map { $0.1 }) { values in PQconnectdbParams(keywords, values, 1) }
        }
    }

    private func setUpSession() throws(PostgreSQLError) {
        let milliseconds = settings.statementTimeout.wholeMicroseconds / 1000
        var statements = [
            PostgreSQLStatement(
                """
                SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),
                    set_config('idle_in_transaction_session_timeout', $2, false),
                    set_config('search_path', $3, false), set_config('standard_conforming_strings', 'on', false),
                    set_config('bytea_output', 'hex', false), set_config('client_min_messages', 'warning', false)
                """,
                [
                    .text(String(milliseconds)), .text(String(milliseconds * 2 + 60_000)),
                    .text("\(PostgreSQLSettings.schema), pg_temp"),
                ])
        ]
        if let role = settings.role {
            // Before the first migration there is no such role; who works without it is refused by the checks at the start.
            statements.append(
                PostgreSQLStatement(
                    """
                    SELECT set_config('role', rolname, false) FROM pg_catalog.pg_roles
                    WHERE rolname = $1 AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER')
                    """, [.text(role)]))
        }
        _ = try exchange(statements.map { .direct($0) })
    }

    /// Whether it can be used: between transactions, and not given up by the other side.
    func isUsable() -> Bool {
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        // Nothing is due between transactions: what comes then announces the end of the connection, or is the end.
        guard poll(&descriptor, 1, 0) == 0 else { return false }
        return PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE
    }

    /// Whether a transaction is open whose statements are ignored because one failed.
    var isInFailedTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }

    /// Whether no transaction is open.
    var isIdle: Bool { PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// The socket, to wait on.
    var socket: Int32 { PQsocket(handle) }

    // MARK: - Statements

    /// One thing that is sent in a batch.
    enum Command {
        /// A statement that is prepared the first time it is used.
        case statement(PostgreSQLStatement)
        /// A statement that is sent as it is.
        case direct(PostgreSQLStatement)
    }

    /// Sends all commands at once and waits for all answers: one round trip. After the first that fails the server does none of the others.
    ///
    /// - Returns: one answer for each command.
    /// - Throws: `PostgreSQLError`; where its `endsConnection` holds, the connection is of no use any more.
    func exchange(_ commands: [Command]) throws(PostgreSQLError) -> [PostgreSQLResult] {
        // A value that cannot be bound is found before anything is sent.
        var encoded: [(statement: PostgreSQLStatement, values: [String?], isDirect: Bool)] = []
        encoded.reserveCapacity(commands.count)
        for command in commands {
            switch command {
            case .direct(let statement): encoded.append((statement, try Self.wireTexts(statement), true))
            case .statement(let statement): encoded.append((statement, try Self.wireTexts(statement), false))
            }
        }
        var named: [(text: String, name: String)] = []
        // What is sent: for each, whether it only prepares.
        var sent: [Bool] = []
        for (statement, values, isDirect) in encoded {
            let known = prepared[statement.sql] ?? named.first { $0.text == statement.sql }?.name
            if let known, !isDirect {
                try send(values, as: known)
            } else if !isDirect, prepared.count + named.count < Self.maximumPrepared {
                let name = "s\(prepared.count + named.count)"
                guard PQsendPrepare(handle, name, statement.sql, 0, nil) == 1 else { throw lost() }
                sent.append(true)
                named.append((statement.sql, name))
                try send(values, as: name)
            } else {
                let accepted = CStrings.with(values) {
                    PQsendQueryParams(handle, statement.sql, Int32(values.count), nil, $0, nil, nil, 0)
                }
                guard accepted == 1 else { throw lost() }
            }
            sent.append(false)
        }
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        return try receive(sent, preparing: named)
    }

    private func send(_ values: [String?], as name: String) throws(PostgreSQLError) {
        let accepted = CStrings.with(values) {
            PQsendQueryPrepared(handle, name, Int32(values.count), $0, nil, nil, 0)
        }
        guard accepted == 1 else { throw lost() }
    }

    private static func wireTexts(_ statement: PostgreSQLStatement) throws(PostgreSQLError) -> [String?] {
        var texts: [String?] = []
        texts.reserveCapacity(statement.parameters.count)
        for value in statement.parameters { texts.append(try value.wireText()) }
        return texts
    }

    private func receive(
        _ sent: [Bool], preparing: [(text: String, name: String)]
    ) throws(PostgreSQLError) -> [PostgreSQLResult] {
        let deadline = clock.now() + settings.statementTimeout + settings.networkGrace
        var results: [PostgreSQLResult] = []
        var failure: PostgreSQLError?
        var preparing = preparing[...]
        for isPreparation in sent {
            // Each command has its answer and then nothing.
            while let result = try nextResult(until: deadline) {
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
                    if isPreparation, let (text, name) = preparing.popFirst() {
                        prepared[text] = name
                    } else {
                        results.append(Self.read(result))
                    }
                case PGRES_PIPELINE_ABORTED: break
                default: failure = failure ?? error(of: result)
                }
            }
        }
        guard PQstatus(handle) == CONNECTION_OK else { throw failure ?? lost() }
        guard let end = try nextResult(until: deadline) else { throw failure ?? lost() }
        defer { PQclear(end) }
        guard PQresultStatus(end) == PGRES_PIPELINE_SYNC else { throw failure ?? lost() }
        if let failure { throw failure }
        return results
    }

    /// Runs a text of several statements, without values, in one go.
    func runScript(_ text: String) throws(PostgreSQLError) {
        // Only the simple protocol takes several statements, and it does not go with a pipeline.
        guard PQexitPipelineMode(handle) == 1, PQsendQuery(handle, text) == 1 else { throw lost() }
        let deadline = clock.now() + settings.statementTimeout + settings.networkGrace
        var failure: PostgreSQLError?
        while let result = try nextResult(until: deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = failure ?? error(of: result)
            }
        }
        guard PQstatus(handle) == CONNECTION_OK, PQenterPipelineMode(handle) == 1 else { throw failure ?? lost() }
        if let failure { throw failure }
    }

    /// Takes in what has come and says how many notices of other sessions were in it.
    ///
    /// - Throws: `PostgreSQLError` with `unavailable` when the connection is lost.
    func takeNotices() throws(PostgreSQLError) -> [String] {
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { throw lost() }
        var texts: [String] = []
        while let notice = PQnotifies(handle) {
            texts.append(notice.pointee.extra.map { String(cString: $0) } ?? "")
            PQfreemem(notice)
        }
        return texts
    }

    // MARK: - Waiting and reading

    private func nextResult(until deadline: Duration) throws(PostgreSQLError) -> OpaquePointer? {
        var unsent = PQflush(handle)
        while unsent == 1 || PQisBusy(handle) == 1 {
            let events = try wait(for: unsent == 1 ? POLLIN | POLLOUT : POLLIN, until: deadline)
            // What has come is taken in first: a server that is stuck with an answer reads nothing.
            if events & Int16(POLLIN | POLLHUP | POLLERR) != 0, PQconsumeInput(handle) == 0 { throw lost() }
            if unsent == 1 { unsent = PQflush(handle) }
        }
        guard unsent == 0 else { throw lost() }
        return PQgetResult(handle)
    }

    private func wait(for events: Int32, until deadline: Duration) throws(PostgreSQLError) -> Int16 {
        while true {
            let rest = deadline - clock.now()
            guard rest > .zero else {
                throw PostgreSQLError(.timeout, "\(settings.address) has not answered in time")
            }
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            let ready = poll(&descriptor, 1, Int32(clamping: min(rest.wholeMicroseconds / 1000 + 1, 1000)))
            if ready > 0 { return descriptor.revents }
            guard ready == 0 || errno == EINTR else { throw lost() }
        }
    }

    private func lost() -> PostgreSQLError {
        let message = settings.address.redacted(String(cString: PQerrorMessage(handle)))
        return PostgreSQLError(
            .unavailable, "The connection to \(settings.address) is lost" + (message.isEmpty ? "" : ": \(message)"))
    }

    private func error(of result: OpaquePointer) -> PostgreSQLError {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        guard let state = field("C") else { return lost() }
        // Its detail is left out: there the server repeats values of rows.
        let message = settings.address.redacted(field("M") ?? "")
        return PostgreSQLError(
            PostgreSQLState.code(of: state), "\(settings.address) refused a statement: \(message)", sqlState: state)
    }

    private static func read(_ result: OpaquePointer) -> PostgreSQLResult {
        let columns = PQnfields(result)
        let count = PQntuples(result)
        var rows: [PostgreSQLRow] = []
        rows.reserveCapacity(Int(count))
        for row in 0..<count {
            rows.append(
                PostgreSQLRow(
                    (0..<columns).map { column in
                        guard PQgetisnull(result, row, column) == 0 else { return nil }
                        return String(cString: PQgetvalue(result, row, column))
                    }))
        }
        return PostgreSQLResult(rows: rows, affected: Int(String(cString: PQcmdTuples(result))) ?? 0)
    }
}
