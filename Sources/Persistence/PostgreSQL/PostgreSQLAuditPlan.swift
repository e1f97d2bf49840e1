// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials

/// The statement for a request: which index drives it, and what is looked at row by row. There are few texts, because each is prepared once
/// on every connection.
struct PostgreSQLAuditPlan: Sendable {
    let scope: TenantScope
    let sql: String
    let parameters: [PostgreSQLValue]

    init(_ request: AuditIndexRequest, examinedRows: Int64) {
        let query = request.query
        let isAscending = query.order == .ascending
        // From the most to the least telling.
        let driver: String? =
            query.sessionID != nil
            ? "session_id"
            : query.resource != nil
                ? "resource"
                : query.actor != nil
                    ? "actor"
                    : query.tenant != nil ? nil : query.action != nil ? "action" : query.outcome.map { _ in "outcome" }
        let edge = isAscending ? Timestamp(microseconds: .min) : Timestamp(microseconds: .max)
        var values: [PostgreSQLValue] = [
            .integer((query.from ?? Timestamp(microseconds: .min)).microseconds),
            .integer((query.to ?? Timestamp(microseconds: .max)).microseconds),
            .integer((request.after?.at ?? edge).microseconds), .text(request.after?.id ?? ""),
        ]
        values += [query.sessionID, query.resource, query.actor, query.action, query.outcome?.rawValue, query.ip].map {
            .optional($0?.withoutNUL)
        }
        values += [.integer(examinedRows), .integer(request.limit)]
        if let tenant = query.tenant {
            scope = .tenant(tenant)
            sql = Self.own(driver: driver, isAscending: isAscending)
            parameters = values + [.text(tenant)]
        } else {
            scope = .none
            sql = """
                SELECT line, writer, place FROM audit_entries_of_all(\
                $13, $14, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                """
            parameters = values + [.text(driver ?? "at"), .boolean(isAscending)]
        }
    }

    /// Among the rows of one tenant.
    private static func own(driver: String?, isAscending: Bool) -> String {
        let numbers = ["session_id": 5, "resource": 6, "actor": 7]
        let condition = driver.flatMap { name in numbers[name].map { "AND e.\(name) = $\($0)" } } ?? ""
        let (direction, behind) = isAscending ? ("ASC", ">") : ("DESC", "<")
        return """
            SELECT s.line, s.writer, s.place FROM (
                SELECT e.line, e.writer, row_number() OVER (ORDER BY e.at \(direction), e.id \(direction)) AS place,
                    ($5::text IS NULL OR e.session_id = $5) AND ($6::text IS NULL OR e.resource = $6)
                    AND ($7::text IS NULL OR e.actor = $7) AND ($8::text IS NULL OR e.action = $8)
                    AND ($9::text IS NULL OR e.outcome = $9) AND ($10::text IS NULL OR e.ip = $10) AS fits
                FROM audit_entries e
                WHERE e.tenant_id = $13 \(condition) AND e.at >= $1 AND e.at < $2 AND (e.at, e.id) \(behind) ($3, $4)
                ORDER BY e.at \(direction), e.id \(direction) LIMIT $11 + 1
            ) s WHERE s.fits OR s.place > $11 ORDER BY s.place LIMIT $12
            """
    }
}
