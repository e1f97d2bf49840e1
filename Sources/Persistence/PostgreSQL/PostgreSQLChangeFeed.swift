// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The table `changes`, into which every transaction that changes what replicas hold in memory writes what it changed.
///
/// A position is a snapshot of the database's transactions. What is told since is every row that is visible now and was not visible in that
/// snapshot: a transaction that was under way then is told when it has ended, whatever the numbers of its rows are. Rows that were written
/// later are told whatever their transactions' numbers are: a server that recovers after the loss of one of its processes gives out again
/// the numbers of transactions of which nothing was kept.
package struct PostgreSQLChangeFeed: ChangeFeed {
    /// How long changes are kept.
    package static let kept = Duration.seconds(3600)
    /// For how long a reader may have been away. Twice as much is kept, so that no transaction is forgotten that a reader has not seen, unless
    /// it took half an hour.
    private static let mayBeAway = Duration.seconds(1800)
    /// More than this is not worth reading one by one.
    private static let maximumChanges = 5000
    /// How many are forgotten at a time.
    private static let forgottenAtOnce = 10_000

    private let database: PostgreSQLDatabase

    package init(_ database: PostgreSQLDatabase) { self.database = database }

    package func position() async throws(ChangeFeedError) -> ChangePosition {
        let row = try await query("SELECT \(Self.place)", [])[0]
        return try reading { () throws(PostgreSQLError) in try Place(row).position }
    }

    package func changes(since position: ChangePosition) async throws(ChangeFeedError) -> ChangeReport {
        guard let old = Place(position) else {
            throw ChangeFeedError(.unreadable, "'\(position.text.prefix(64))' is no position of this feed")
        }
        // All in one statement, which sees one snapshot.
        let rows = try await query(
            """
            SELECT \(Self.place), c.kind, c.key,
                (extract(epoch FROM clock_timestamp() - c.at) * 1000000)::bigint
            FROM (SELECT 1) AS one LEFT JOIN (
                SELECT kind, key, min(at) AS at, min(seq) AS seq FROM changes
                WHERE (xid >= pg_snapshot_xmin($1::text::pg_snapshot)
                        AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot))
                    OR at >= timestamptz 'epoch' + $3 * interval '1 microsecond'
                GROUP BY kind, key ORDER BY seq LIMIT $2
            ) AS c ON true ORDER BY c.seq
            """, [.text(old.snapshot), .integer(Self.maximumChanges + 1), .integer(old.microseconds)])
        return try reading { () throws(PostgreSQLError) in try Self.report(rows, since: old) }
    }

    package func prune() async throws(ChangeFeedError) {
        do {
            _ = try await database.transaction(.none) { transaction in
                try transaction.execute(
                    """
                    DELETE FROM changes WHERE seq IN (
                        SELECT seq FROM changes
                        WHERE at < clock_timestamp() - make_interval(secs => $1::bigint)
                        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
                    """, [.integer(Self.kept.components.seconds), .integer(Self.forgottenAtOnce)])
            }
        } catch {
            throw Self.unavailable(error)
        }
    }

    // MARK: - Places

    /// The life of the server, its clock, and its transactions. A server that was started again, or another one, counts transactions anew:
    /// numbers that a lost transaction had may be given out again.
    private static let place = """
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pg_current_snapshot()::text
        """

    private struct Place {
        let server: Int64
        let microseconds: Int64
        let snapshot: String

        init(_ row: PostgreSQLRow) throws(PostgreSQLError) {
            (server, microseconds, snapshot) = (try row.integer(0), try row.integer(1), try row.text(2))
        }

        init?(_ position: ChangePosition) {
            let parts = position.text.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, let server = Int64(parts[0]), let microseconds = Int64(parts[1]),
                parts[2].utf8.allSatisfy({
                    (UInt8(ascii: "0")...UInt8(ascii: ":")).contains($0) || $0 == UInt8(ascii: ",")
                })
            else { return nil }
            (self.server, self.microseconds, snapshot) = (server, microseconds, String(parts[2]))
        }

        var position: ChangePosition { ChangePosition("\(server) \(microseconds) \(snapshot)") }
    }

    private static func report(_ rows: [PostgreSQLRow], since old: Place) throws(PostgreSQLError) -> ChangeReport {
        guard let first = rows.first else { throw PostgreSQLError(.unreadable, "The changes have no position") }
        let place = try Place(first)
        guard place.server == old.server else { return .lost(.restarted) }
        let away = Duration.microseconds(place.microseconds - old.microseconds)
        guard away <= mayBeAway else { return .lost(.pruned) }
        guard rows.count <= maximumChanges else { return .lost(.tooMany) }
        var changes: [StoreChange] = []
        var lag: Int64 = 0
        for row in rows {
            guard let kind = try row.optionalText(3), let key = try row.optionalText(4) else { continue }
            lag = max(lag, try row.integer(5))
            // What a newer version announces beside is nothing that this one holds.
            guard let kind = StoreChange.Kind(rawValue: kind) else { continue }
            changes.append(StoreChange(kind, key))
        }
        return .changed(changes, next: place.position, lag: .microseconds(lag))
    }

    private func query(
        _ sql: String, _ parameters: [PostgreSQLValue]
    ) async throws(ChangeFeedError) -> [PostgreSQLRow] {
        do {
            return try await database.query(.none, sql, parameters)
        } catch {
            throw Self.unavailable(error)
        }
    }

    private func reading<Value>(
        _ body: () throws(PostgreSQLError) -> Value
    ) throws(ChangeFeedError) -> Value {
        do {
            return try body()
        } catch {
            throw ChangeFeedError(.unreadable, "The changes cannot be read", cause: error)
        }
    }

    private static func unavailable(_ error: any Error) -> ChangeFeedError {
        ChangeFeedError(.unavailable, "The database did not answer", cause: error)
    }
}
