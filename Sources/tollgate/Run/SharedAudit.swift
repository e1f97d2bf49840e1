// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Persistence

/// The audit trail in the database that replicas share.
struct SharedAudit: Sendable {
    let index: any AuditIndexing
    /// Signs cursors, so that a page of one replica is followed by the next of another.
    let cursorKey: Redacted<[UInt8]>

    /// Takes the key that all replicas have, and makes it where none has.
    init(_ database: PostgreSQLDatabase, random: any RandomSource) async throws {
        let index = PostgreSQLAuditIndex(database)
        self.index = index
        do {
            cursorKey = try await index.cursorKey(random: random)
        } catch {
            throw StartupProblem("TOLLGATE_DATABASE_URL: the key that signs audit cursors cannot be read: \(error)")
        }
    }
}
