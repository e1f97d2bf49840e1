// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail

extension PostgreSQLAuditIndex: SharedTrail {
    package func heads() async throws -> [String: Int64] {
        let rows = try await database.query(.none, "SELECT series, head FROM audit_heads()", [])
        var heads: [String: Int64] = [:]
        for row in rows { heads[try row.text(0)] = try row.integer(1) }
        return heads
    }

    package func rows(of writer: String, after sequence: Int64, limit: Int) async throws -> [AuditRow] {
        let rows = try await database.query(
            .none, "SELECT line FROM audit_entries_of_series($1, $2, $3)",
            [.text(writer), .integer(sequence), .integer(limit)])
        // A line that cannot be read is for the verifier to tell of.
        return try rows.compactMap { AuditRow(line: Array(try $0.text(0).utf8), writer: writer) }
    }
}
