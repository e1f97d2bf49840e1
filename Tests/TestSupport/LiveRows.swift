// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
internal import Synchronization

/// Written entries for tests of live events.
package enum LiveRows {
    /// An entry; its id tells its number, and its time is so many milliseconds after the start of all clocks in tests.
    package static func row(
        _ number: Int, action: String = "tool.execute", tenant: String? = nil, actor: String = "user-1",
        metadata: JSONObject = JSONObject(), writer: String = "w1", sequence: Int? = nil
    ) throws -> AuditRow {
        let at = Timestamp(microseconds: 1_772_366_400_000_000 + Int64(number) * 1000)
        let line = JSONValue.object([
            "id": .string(id(number)), "timestamp": .string(at.rfc3339Micros), "actor": .string(actor),
            "action": .string(action), "resource": "/v1/x", "outcome": "success", "metadata": .object(metadata),
            "ip": nil, "session_id": nil, "tenant": .optional(tenant), "request_id": nil,
            "sequence": .int(Int64(sequence ?? number + 1)), "prev_hash": "0", "hash": "0",
        ])
        guard let row = AuditRow(line: line.encoded(), writer: writer) else {
            throw ContractBroken(description: "no entry")
        }
        return row
    }

    /// A healing event.
    package static func healing(_ number: Int, kind: String = "ack", tenant: String? = nil) throws -> AuditRow {
        try row(
            number, action: "healing.\(kind)", tenant: tenant, actor: "system", metadata: ["comment": "seen"])
    }

    /// The id of the entry of that number.
    package static func id(_ number: Int) -> String {
        let milliseconds = 1_772_366_400_000 + number
        let digits = String(milliseconds, radix: 16)
        let time = String(repeating: "0", count: 12 - digits.count) + digits
        let tail = String(number, radix: 16)
        let rest = String(repeating: "0", count: 12 - tail.count) + tail
        return "\(time.prefix(8))-\(time.suffix(4))-7000-8000-\(rest)"
    }
}

/// What was written before, in memory.
package final class FakeHistory: LiveHistory {
    private let state = Mutex((rows: [AuditRow](), isAway: false, asked: 0))

    package init() {}

    package func add(_ rows: [AuditRow]) { state.withLock { $0.rows += rows } }
    package func goAway() { state.withLock { $0.isAway = true } }
    package var asked: Int { state.withLock(\.asked) }

    package func history(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> [AuditRow] {
        let (rows, isAway) = state.withLock { state in
            state.asked += 1
            return (state.rows, state.isAway)
        }
        if isAway { throw Refusal(.auditUnavailable) }
        var query = query
        if case .tenant(let tenant) = reader {
            guard let tenant else { return [] }
            query.tenant = tenant
        }
        let request = AuditIndexRequest(query: query, after: nil, limit: query.limit)
        let found = rows.filter { request.matches($0) }.sorted { AuditRow.precedes($0, $1) }
        guard query.order == .descending else { return Array(found.prefix(query.limit)) }
        return found.suffix(query.limit).reversed()
    }
}
