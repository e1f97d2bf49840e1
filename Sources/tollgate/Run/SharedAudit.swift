// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Logging
internal import Persistence

/// The audit trail in the database that replicas share.
struct SharedAudit: Sendable {
    let index: any AuditIndexing
    /// The entries of every replica.
    let trail: any SharedTrail
    /// Has the body told whose series has grown, after each addition of this process.
    let observe: @Sendable (@escaping @Sendable (String) -> Void) -> Void
    /// Tells replicas of additions where Redis does not.
    let notices: any NoticeChannel
    /// Signs cursors, so that a page of one replica is followed by the next of another.
    let cursorKey: Redacted<[UInt8]>

    /// Takes the key that all replicas have, and makes it where none has.
    init(_ database: PostgreSQLDatabase, random: any RandomSource, logger: Logger) async throws {
        let index = PostgreSQLAuditIndex(database)
        self.index = index
        trail = index
        observe = { index.observeAdditions($0) }
        notices = PostgreSQLNoticeChannel(
            database, PostgreSQLListener(database.settings, logger: logger), channel: "tollgate_events")
        do {
            cursorKey = try await index.cursorKey(random: random)
        } catch {
            throw StartupProblem("TOLLGATE_DATABASE_URL: the key that signs audit cursors cannot be read: \(error)")
        }
    }
}
