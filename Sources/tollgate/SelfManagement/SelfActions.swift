// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import SelfManagement

/// What self-management has done, out of the trail.
struct SelfActions: Sendable {
    private static let pages = 4

    let trail: any AuditQuerying

    /// The results, the newest first.
    func newest(_ limit: Int) async throws(Refusal) -> [JSONValue] {
        var found: [(at: Timestamp, id: String, json: JSONValue)] = []
        for action in SelfMetrics.Action.allCases { found += try await newest(limit, of: action) }
        found.sort { ($0.at, $0.id) > ($1.at, $1.id) }
        return found.prefix(limit).map(\.json)
    }

    private func newest(
        _ limit: Int, of action: SelfMetrics.Action
    ) async throws(Refusal) -> [(at: Timestamp, id: String, json: JSONValue)] {
        var query = AuditQuery()
        query.action = SelfJournal.prefix + action.rawValue
        // Every act has two entries.
        query.limit = min(1000, limit * 2)
        var found: [(at: Timestamp, id: String, json: JSONValue)] = []
        for _ in 0..<Self.pages {
            let page = try await trail.query(query, as: .platform)
            for row in page.rows { if let json = Self.json(row, action) { found.append((row.at, row.id, json)) } }
            guard found.count < limit, let next = page.nextCursor else { break }
            query.cursor = next
        }
        return found
    }

    /// An entry as it is shown; nil for what was only meant.
    private static func json(_ row: AuditRow, _ action: SelfMetrics.Action) -> JSONValue? {
        // The trail wrote the line itself.
        guard let metadata = try? JSONParser.parse(row.line)["metadata"], metadata["phase"] == "result" else {
            return nil
        }
        let number = metadata["after"]?.intValue
        let name = action == .scale ? "scale:\(number ?? 0)" : action.rawValue
        return [
            "action": .string(name), "success": .bool(row.outcome == .success),
            "message": .string("\(row.resource): \(metadata["message"]?.stringValue ?? "")"),
            "timestamp": .string(row.at.rfc3339Micros), "actor": .string(row.actor),
            "before": metadata["before"] ?? .null, "after": metadata["after"] ?? .null,
        ]
    }
}
