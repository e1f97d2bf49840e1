// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is asked of the trail. Filters are ANDed; each is exact and case-sensitive.
package struct AuditQuery: Sendable, Hashable {
    /// By (`timestamp`, `id`).
    package enum Order: String, Sendable {
        case ascending = "asc"
        case descending = "desc"
    }

    package var actor: String?
    package var action: String?
    package var resource: String?
    package var outcome: AuditDraft.Outcome?
    package var tenant: String?
    package var sessionID: String?
    package var ip: String?
    /// What the entries are looked at for one by one.
    package var q: BooleanQuery?
    /// Inclusive.
    package var from: Timestamp?
    /// Exclusive.
    package var to: Timestamp?
    package var order = Order.descending
    /// 1–1000.
    package var limit = 100
    /// `next_cursor` of the page before.
    package var cursor: String?

    /// The newest 100 entries.
    package init() {}

    /// The filters that were given, as the entry about the query names them.
    package var metadata: JSONObject {
        var object = JSONObject()
        let texts: [(String, String?)] = [
            ("actor", actor), ("action", action), ("resource", resource), ("outcome", outcome?.rawValue),
            ("tenant", tenant), ("session_id", sessionID), ("ip", ip), ("from", from?.rfc3339Micros),
            ("to", to?.rfc3339Micros), ("q", q?.text),
        ]
        for (name, text) in texts { if let text { object[name] = .string(text) } }
        object["order"] = .string(order.rawValue)
        object["limit"] = .int(Int64(limit))
        return object
    }
}

/// Who reads the trail, which decides what there is to see.
package enum AuditReader: Sendable, Hashable {
    /// Every tenant, and entries without one.
    case platform
    /// Only that tenant; without one, nothing.
    case tenant(String?)
}

/// One page of entries.
package struct AuditPage: Sendable, Hashable {
    package let rows: [AuditRow]
    /// Opaque; nil when there is nothing more.
    package let nextCursor: String?

    package init(rows: [AuditRow], nextCursor: String?) {
        self.rows = rows
        self.nextCursor = nextCursor
    }

    /// `{"events":[…],"count":n,"next_cursor":…}` with the entries exactly as they were written.
    package var body: [UInt8] {
        var writer = JSONWriter(reserving: rows.reduce(64) { $0 + $1.line.count + 1 })
        writer.raw("{\"events\":[")
        for (index, row) in rows.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw(row.line)
        }
        writer.raw("],\"count\":")
        writer.integer(Int64(rows.count))
        writer.raw(",\"next_cursor\":")
        writer.string(nextCursor)
        writer.raw("}")
        return writer.bytes
    }
}
