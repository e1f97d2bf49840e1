// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Foundation
internal import GRDB

extension SQLiteStore: IdempotencyStore {
    /// How long an answer is kept, in seconds.
    private static let keptSeconds: Int64 = 86_400
    /// After how many seconds a reservation without answer is nobody's any more.
    private static let reservedSeconds: Int64 = 60

    package func begin(
        key: String, caller: IdempotencyCaller, digest: String
    ) async throws(Refusal) -> IdempotencyState {
        let now = clock.now()
        let caller = Self.text(caller)
        return try await refusing {
            try await committer.write { db in
                try Self.forgetOld(before: now.adding(seconds: -Self.keptSeconds), db)
                guard
                    let row = try Row.fetchOne(
                        db.cachedStatement(
                            sql: """
                                SELECT digest, begun_at, status, body, fields FROM idempotency_keys
                                WHERE caller = ? AND key = ?
                                """),
                        arguments: [caller, key])
                else {
                    try Self.reserve(key, caller, digest, now, db)
                    return .new
                }
                guard row["digest"] == digest else { return .mismatch }
                guard let status: Int = row["status"] else {
                    let begun = Timestamp(microseconds: row["begun_at"])
                    guard begun.adding(seconds: Self.reservedSeconds) <= now else {
                        throw Refusal(
                            .requestIdempotencyMismatch,
                            message: "The first request with this idempotency key is still running",
                            retryAfterSeconds: 1)
                    }
                    try Self.reserve(key, caller, digest, now, db)
                    return .new
                }
                let body: [UInt8] = Array(row["body"] as Data? ?? Data())
                return .answered(StoredAnswer(status: status, body: body, fields: row["fields"] ?? ""))
            }
        }
    }

    /// The caller in one text. A name alone is what callers without a tenant always had.
    private static func text(_ caller: IdempotencyCaller) -> String {
        guard let tenant = caller.tenantID else { return caller.name }
        return JSONValue.strings([tenant, caller.name]).jsonText
    }

    /// Whose text it is.
    static func caller(_ text: String) -> IdempotencyCaller {
        // A name that is no list of two texts is that of a caller without a tenant.
        guard let parts = (try? JSONParser.parse(text: text))?.arrayValue, parts.count == 2,
            let tenant = parts[0].stringValue, let name = parts[1].stringValue
        else { return IdempotencyCaller(tenantID: nil, name: text) }
        return IdempotencyCaller(tenantID: tenant, name: name)
    }

    private static func reserve(
        _ key: String, _ caller: String, _ digest: String, _ now: Timestamp, _ db: Database
    ) throws {
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO idempotency_keys (caller, key, digest, begun_at) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [caller, key, digest, now.microseconds])
    }

    private static func forgetOld(before instant: Timestamp, _ db: Database) throws {
        // A bounded bite each time keeps one call from paying for all.
        try db.cachedStatement(
            sql: """
                DELETE FROM idempotency_keys WHERE (caller, key) IN (
                    SELECT caller, key FROM idempotency_keys WHERE begun_at <= ? ORDER BY begun_at LIMIT 1000)
                """
        ).execute(arguments: [instant.microseconds])
    }

    package func finish(
        key: String, caller: IdempotencyCaller, digest: String, answer: StoredAnswer
    ) async throws(Refusal) {
        let now = clock.now()
        let caller = Self.text(caller)
        try await refusing {
            try await committer.write { db in
                try db.cachedStatement(
                    sql: """
                        INSERT INTO idempotency_keys (caller, key, digest, begun_at, status, body, fields)
                        VALUES (?, ?, ?, ?, ?, ?, ?)
                        ON CONFLICT (caller, key) DO UPDATE SET digest = excluded.digest, begun_at = excluded.begun_at,
                            status = excluded.status, body = excluded.body, fields = excluded.fields
                        WHERE status IS NULL
                        """
                ).execute(arguments: [
                    caller, key, digest, now.microseconds, answer.status, Data(answer.body), answer.fields,
                ])
            }
        }
    }

    package func abandon(key: String, caller: IdempotencyCaller) async {
        let caller = Self.text(caller)
        // A reservation that cannot be given up ends by itself after a minute.
        _ = try? await committer.write { db in
            try db.cachedStatement(
                sql: "DELETE FROM idempotency_keys WHERE caller = ? AND key = ? AND status IS NULL"
            ).execute(arguments: [caller, key])
        }
    }

    private func refusing<Value>(_ body: () async throws -> Value) async throws(Refusal) -> Value {
        do {
            return try await body()
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            // The cause is in the log of whoever pings the store; a client learns only that it must come again.
            throw Refusal(.authStoreUnavailable, message: "Store unavailable", retryAfterSeconds: 1)
        }
    }
}
