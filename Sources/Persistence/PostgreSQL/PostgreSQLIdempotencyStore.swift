// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Answers under idempotency keys in PostgreSQL, for all replicas.
///
/// A reservation names the replica that made it. One that died cannot give its reservations up, and another that starts cannot know whose
/// owner is dead: so a reservation without an answer is anybody's after a minute, and whoever comes then takes it over. Should the first
/// replica only have been slow, the answer that was kept first stays, and it cannot give up what is not its own any more.
package final class PostgreSQLIdempotencyStore: IdempotencyStore {
    /// How long an answer is kept.
    private static let keptMicroseconds: Int64 = 86_400_000_000
    /// After what time a reservation without answer is nobody's any more.
    private static let reservedMicroseconds: Int64 = 60_000_000
    /// How often old answers are looked for, and how many go at once.
    private static let forgetsEveryMicroseconds: Int64 = 60_000_000
    private static let forgottenAtOnce: Int64 = 10_000
    /// How often a key is asked for whose row goes while it is read.
    private static let maximumTries = 3

    private let database: PostgreSQLDatabase
    private let committer: PostgreSQLCommitter
    private let clock: (any WallClock)?
    private let holder: String
    private let running = SystemMonotonicClock()
    /// The instant at which old answers were last looked for.
    private let forgotAt = Atomic<Int64>(0)

    /// - Parameters:
    ///   - clock: nil = the database's own clock, which all replicas share.
    ///   - random: names this replica.
    package init(_ database: PostgreSQLDatabase, clock: (any WallClock)?, random: any RandomSource) {
        self.database = database
        self.clock = clock
        committer = PostgreSQLCommitter(database)
        holder = Hex.encode(random.bytes(16))
    }

    package func begin(
        key: String, caller: IdempotencyCaller, digest: String
    ) async throws(Refusal) -> IdempotencyState {
        let (instant, holder) = (instant, holder)
        let found = try await refusing {
            try await committer.write(order: Self.order(key, caller)) { write in
                try Self.begin(key, caller, digest, holder: holder, at: instant, write)
            }
        }
        await forgetOld()
        guard let found else {
            throw Refusal(
                .requestIdempotencyMismatch,
                message: "The first request with this idempotency key is still running", retryAfterSeconds: 1)
        }
        return found
    }

    /// - Returns: nil while the first use runs.
    private static func begin(
        _ key: String, _ caller: IdempotencyCaller, _ digest: String, holder: String, at instant: PostgreSQLValue,
        _ write: PostgreSQLWrite
    ) throws -> IdempotencyState? {
        let tenant = try write.enter(caller.tenantID)
        for _ in 0..<maximumTries {
            // Whoever comes second waits here until the first is committed, and then sees its row.
            let reserved = try write.execute(
                """
                INSERT INTO idempotency_keys AS k (tenant_id, caller, key, digest, begun_at, holder)
                VALUES ($1, $2, $3, $4, \(now("$5")), $6)
                ON CONFLICT (tenant_id, caller, key) DO UPDATE
                SET digest = excluded.digest, begun_at = excluded.begun_at, holder = excluded.holder, status = NULL,
                    body = NULL, fields = NULL
                WHERE k.tenant_id = $1 AND (
                    k.begun_at <= excluded.begun_at - \(keptMicroseconds)
                    OR k.status IS NULL AND k.digest = excluded.digest
                        AND k.begun_at <= excluded.begun_at - \(reservedMicroseconds))
                """, [tenant, .text(caller.name), .text(key), .text(digest), instant, .text(holder)])
            if reserved == 1 { return .new }
            let rows = try write.query(
                """
                SELECT digest, status, body, fields FROM idempotency_keys
                WHERE tenant_id = $1 AND caller = $2 AND key = $3
                """,
                [tenant, .text(caller.name), .text(key)])
            // It was given up in between: it can be had.
            guard let row = rows.first else { continue }
            guard try row.text(0) == digest else { return .mismatch }
            guard let status = try row.optionalInteger(1) else { return nil }
            return .answered(
                StoredAnswer(
                    status: Int(status), body: try row.optionalBytes(2) ?? [], fields: try row.optionalText(3) ?? ""))
        }
        return nil
    }

    package func finish(
        key: String, caller: IdempotencyCaller, digest: String, answer: StoredAnswer
    ) async throws(Refusal) {
        let instant = instant
        try await refusing {
            try await committer.write(order: Self.order(key, caller)) { write in
                let tenant = try write.enter(caller.tenantID)
                try write.execute(
                    """
                    INSERT INTO idempotency_keys AS k (tenant_id, caller, key, digest, begun_at, status, body, fields)
                    VALUES ($1, $2, $3, $4, \(Self.now("$5")), $6, $7, $8)
                    ON CONFLICT (tenant_id, caller, key) DO UPDATE
                    SET digest = excluded.digest, begun_at = excluded.begun_at, holder = NULL,
                        status = excluded.status, body = excluded.body, fields = excluded.fields
                    WHERE k.tenant_id = $1 AND k.status IS NULL
                    """,
                    [
                        tenant, .text(caller.name), .text(key), .text(digest), instant, .integer(answer.status),
                        .bytes(answer.body), .text(answer.fields),
                    ])
            }
        }
    }

    package func abandon(key: String, caller: IdempotencyCaller) async {
        let holder = holder
        // A reservation that cannot be given up ends by itself after a minute.
        _ = try? await committer.write(order: Self.order(key, caller)) { write in
            let tenant = try write.enter(caller.tenantID)
            try write.execute(
                """
                DELETE FROM idempotency_keys
                WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND status IS NULL AND holder = $4
                """, [tenant, .text(caller.name), .text(key), .text(holder)])
        }
    }

    // MARK: - Time

    /// The instant of the clock that was given; null stands for the database's own.
    private var instant: PostgreSQLValue { .optional(clock?.now().microseconds) }

    private static func now(_ parameter: String) -> String {
        "coalesce(\(parameter)::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
    }

    /// Removes what was kept for a day, of all tenants, a bounded number now and then.
    private func forgetOld() async {
        // Here it matters only that a minute or so has passed.
        let now = clock?.now().microseconds ?? running.now().wholeMicroseconds
        let last = forgotAt.load(ordering: .relaxed)
        guard now - last >= Self.forgetsEveryMicroseconds,
            forgotAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        let instant = instant
        // What stays is not answered with and is removed the next time.
        _ = try? await database.execute(
            .none,
            "SELECT forget_idempotency_keys(\(Self.now("$1")) - \(Self.keptMicroseconds), $2)",
            [instant, .integer(Self.forgottenAtOnce)])
    }

    private static func order(_ key: String, _ caller: IdempotencyCaller) -> String {
        JSONValue.array([.optional(caller.tenantID), .string(caller.name), .string(key)]).jsonText
    }

    private func refusing<Value>(_ body: () async throws -> Value) async throws(Refusal) -> Value {
        do {
            return try await body()
        } catch {
            // The cause is in the log of whoever pings the store; a client learns only that it must come again.
            throw Refusal(.authStoreUnavailable, message: "Store unavailable", retryAfterSeconds: 1)
        }
    }
}
