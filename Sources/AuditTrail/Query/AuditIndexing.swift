// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An index over the written entries. The segments are the truth: an index may be thrown away and built again at any time.
package protocol AuditIndexing: Sendable {
    /// Whether it holds entries that outlive the segments, for several writers. Then what must be durable waits until it is there too, and
    /// nothing is taken out of it.
    var keepsEntries: Bool { get }

    /// The largest sequence number of a writer that the index holds; 0 without one. Everything below it is held too.
    func lastSequence(writer: String) async throws -> Int64

    /// Adds rows, in the order of their sequence numbers; rows that are held already are passed over.
    func add(_ rows: [AuditRow]) async throws

    /// Forgets what it holds of a writer. One that keeps entries sets them aside under another name instead.
    func removeAll(writer: String) async throws

    /// Forgets what it holds of a writer before a sequence number, because the segments are gone. One that keeps entries keeps them.
    func forget(writer: String, before sequence: Int64) async throws

    /// The first rows that match, in order.
    ///
    /// - Throws: `audit.query_too_wide` when more rows or more time than allowed were needed, `audit.unavailable` when it cannot be read.
    func rows(_ request: AuditIndexRequest) async throws(Refusal) -> [AuditRow]
}

extension AuditIndexing {
    /// An index that can be built again from the segments at any time.
    package var keepsEntries: Bool { false }

    package func forget(writer: String, before sequence: Int64) async throws {}
}

/// What an index is asked: a query whose reader and cursor were resolved.
package struct AuditIndexRequest: Sendable, Hashable {
    /// A place in the order of queries.
    package struct Position: Sendable, Hashable {
        package var at: Timestamp
        package var id: String

        package init(at: Timestamp, id: String) {
            self.at = at
            self.id = id
        }
    }

    /// Filters and order; its cursor and limit do not count here.
    package var query: AuditQuery
    /// Only what lies behind this place.
    package var after: Position?
    /// How many rows at most.
    package var limit: Int
    /// Only healing events that fit; nil = every entry.
    package var healing: HealingFilter?

    package init(query: AuditQuery, after: Position?, limit: Int, healing: HealingFilter? = nil) {
        self.query = query
        self.after = after
        self.limit = limit
        self.healing = healing
    }

    /// Whether there is more to fit than an index can look up: what `row` tests.
    package var looksIntoRows: Bool { query.q != nil || healing != nil }

    /// The row of a line that fits every filter an index can look up; nil when it does not fit what only its content tells, or is no entry.
    package func row(line: [UInt8], writer: String) -> AuditRow? {
        if let q = query.q, !q.matches(line: line) { return nil }
        guard let row = AuditRow(line: line, writer: writer), healing?.matches(row) ?? true else { return nil }
        return row
    }

    /// Whether a row fits every filter and lies behind the place.
    package func matches(_ row: AuditRow) -> Bool {
        func fits(_ wanted: String?, _ value: String?) -> Bool { wanted == nil || wanted == value }
        if let from = query.from, row.at < from { return false }
        if let to = query.to, row.at >= to { return false }
        if let outcome = query.outcome, row.outcome != outcome { return false }
        guard fits(query.actor, row.actor), fits(query.action, row.action), fits(query.resource, row.resource),
            fits(query.tenant, row.tenant), fits(query.sessionID, row.sessionID), fits(query.ip, row.ip)
        else { return false }
        if let after {
            let isBefore = row.at != after.at ? row.at < after.at : row.id < after.id
            let isSame = row.at == after.at && row.id == after.id
            guard !isSame, isBefore == (query.order == .descending) else { return false }
        }
        return query.q?.matches(line: row.line) ?? true && healing?.matches(row) ?? true
    }
}
