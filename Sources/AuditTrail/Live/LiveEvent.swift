// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// A written entry on its way to those who watch: its JSON is made once and shared by all of them.
package final class LiveEvent: Sendable {
    package let id: String
    package let at: Timestamp
    /// Compact JSON without line breaks: a healing event in its flat form, any other entry as it was written.
    package let json: [UInt8]
    let isHealing: Bool
    /// Of a healing event.
    let kind: String?
    let tenant: String?
    private let row: AuditRow
    private let parsed = Mutex<JSONObject?>(nil)

    package init(_ row: AuditRow) {
        self.row = row
        id = row.id
        at = row.at
        tenant = row.tenant
        kind = HealingView.kind(of: row)
        if let flat = HealingView.event(of: row) {
            isHealing = true
            json = HealingView.encoded(flat)
            parsed.withLock { $0 = flat }
        } else {
            isHealing = false
            json = row.line
        }
    }

    /// Whose series it is of.
    var writer: String { row.writer }
    /// Its number there.
    var sequence: Int64 { row.sequence }

    /// What it counts for in bounds on bytes.
    var size: Int { json.count + 64 }

    /// Its members, for queries; an entry's are only read when somebody asks.
    var members: JSONObject {
        parsed.withLock { parsed in
            if let parsed { return parsed }
            let members = HealingView.entry(row)
            parsed = members
            return members
        }
    }

    /// By time and id, but those of one series by their numbers, whatever its clock did.
    static func inOrder(_ events: [LiveEvent]) -> [LiveEvent] {
        var latest: [String: Timestamp] = [:]
        let timed = events.sorted { $0.sequence < $1.sequence }.map { event -> (at: Timestamp, event: LiveEvent) in
            let at = max(event.at, latest[event.writer] ?? event.at)
            latest[event.writer] = at
            return (at, event)
        }
        return timed.sorted { left, right in
            if left.at != right.at { return left.at < right.at }
            if left.event.writer == right.event.writer { return left.event.sequence < right.event.sequence }
            return left.event.writer < right.event.writer
        }.map(\.event)
    }
}
