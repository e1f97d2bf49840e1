// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import GRDB

/// The statement for a request: which index drives it, and what is looked at row by row.
struct AuditIndexPlan {
    let sql: String
    let arguments: [(any DatabaseValueConvertible)?]

    init(_ request: AuditIndexRequest) {
        let query = request.query
        // From the most to the least telling.
        var filters: [(column: String, value: String)] = []
        let wanted: [(String, String?)] = [
            ("session_id", query.sessionID), ("resource", query.resource), ("actor", query.actor),
            ("tenant", query.tenant), ("action", query.action), ("outcome", query.outcome?.rawValue),
        ]
        for (column, value) in wanted { if let value { filters.append((column, value)) } }
        let driver = filters.first
        var rest = Array(filters.dropFirst())
        if let ip = query.ip { rest.append(("ip", ip)) }

        var arguments: [(any DatabaseValueConvertible)?] = rest.map(\.value)
        let match = rest.isEmpty ? "1" : rest.map { "\($0.column) IS ?" }.joined(separator: " AND ")
        var conditions: [String] = []
        if let driver {
            conditions.append("\(driver.column) = ?")
            arguments.append(driver.value)
        }
        if let from = query.from {
            conditions.append("at >= ?")
            arguments.append(from.microseconds)
        }
        if let to = query.to {
            conditions.append("at < ?")
            arguments.append(to.microseconds)
        }
        if let after = request.after {
            conditions.append(query.order == .ascending ? "(at, id) > (?, ?)" : "(at, id) < (?, ?)")
            arguments.append(after.at.microseconds)
            arguments.append(after.id)
        }
        let direction = query.order == .ascending ? "ASC" : "DESC"
        let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
        sql = """
            SELECT CASE WHEN \(match) THEN line END, writer FROM entries INDEXED BY entries_\(driver?.column ?? "at") \
            \(condition) ORDER BY at \(direction), id \(direction)
            """
        self.arguments = arguments
    }
}
