// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A draft with its id, time and place in the series.
package struct AuditEntry: Sendable, Hashable {
    /// UUIDv7 of `at`, lower case.
    package let id: String
    package let at: Timestamp
    package let draft: AuditDraft
    /// 1 or more; without gaps in a writer's series.
    package let sequence: Int64

    package init(id: String, at: Timestamp, draft: AuditDraft, sequence: Int64) {
        self.id = id
        self.at = at
        self.draft = draft
        self.sequence = sequence
    }
}

/// A written entry as queries see it: what filters look at, and the canonical line without its LF.
package struct AuditRow: Sendable, Hashable {
    package let id: String
    package let at: Timestamp
    package let writer: String
    package let sequence: Int64
    package let actor: String
    package let action: String
    package let resource: String
    package let outcome: AuditDraft.Outcome
    package let tenant: String?
    package let sessionID: String?
    package let ip: String?
    package let line: [UInt8]

    init(entry: AuditEntry, writer: String, line: [UInt8]) {
        id = entry.id
        at = entry.at
        self.writer = writer
        sequence = entry.sequence
        actor = entry.draft.actor
        action = entry.draft.action
        resource = entry.draft.resource
        outcome = entry.draft.outcome
        tenant = entry.draft.tenant
        sessionID = entry.draft.sessionID
        ip = entry.draft.ip
        self.line = line
    }

    /// Reads a stored line back.
    ///
    /// - Returns: nil when the line is not an entry.
    package init?(line: [UInt8], writer: String) {
        // Whatever is not an entry has no place in an index; what is wrong with it is the verifier's to say.
        guard let value = try? JSONParser.parse(line), let id = value["id"]?.stringValue,
            let at = value["timestamp"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let sequence = value["sequence"]?.intValue, let actor = value["actor"]?.stringValue,
            let action = value["action"]?.stringValue, let resource = value["resource"]?.stringValue,
            let outcome = value["outcome"]?.stringValue.flatMap(AuditDraft.Outcome.init(rawValue:))
        else { return nil }
        self.id = id
        self.at = at
        self.writer = writer
        self.sequence = sequence
        self.actor = actor
        self.action = action
        self.resource = resource
        self.outcome = outcome
        tenant = value["tenant"]?.stringValue
        sessionID = value["session_id"]?.stringValue
        ip = value["ip"]?.stringValue
        self.line = line
    }

    /// Whether this entry stands before another in the order of queries: by time, then by id.
    package static func precedes(_ left: AuditRow, _ right: AuditRow) -> Bool {
        left.at != right.at ? left.at < right.at : left.id < right.id
    }
}
