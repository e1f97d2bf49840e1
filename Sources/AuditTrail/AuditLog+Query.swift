// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

extension AuditLog {
    /// The entries that fit, a page at a time. Pages neither repeat nor skip what is written meanwhile.
    ///
    /// - Throws: `audit.tenant_forbidden`, `audit.bad_cursor`, `audit.query_too_wide`, `audit.unavailable`.
    package func query(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> AuditPage {
        guard let signer = cursor.withLock({ $0 }) else { throw Refusal(.auditUnavailable) }
        let position: AuditIndexRequest.Position?
        if let text = query.cursor {
            position = try signer.position(text, query: query, reader: reader)
        } else {
            position = nil
        }
        var seen = query
        if case .tenant(let tenant) = reader {
            if let asked = query.tenant, asked != tenant { throw Refusal(.auditTenantForbidden) }
            guard let tenant else { return AuditPage(rows: [], nextCursor: nil) }
            seen.tenant = tenant
        }
        let request = AuditIndexRequest(query: seen, after: position, limit: query.limit + 1)
        // Memory first: what moves from there into the index meanwhile is then in both, never in neither.
        var rows = trail.rows(request)
        if let index { rows += try await index.rows(request) }
        let page = Self.merge(rows, order: query.order)
        guard page.count > query.limit else { return AuditPage(rows: page, nextCursor: nil) }
        let kept = Array(page[..<query.limit])
        let next = kept.last.map {
            signer.text(AuditIndexRequest.Position(at: $0.at, id: $0.id), query: query, reader: reader)
        }
        return AuditPage(rows: kept, nextCursor: next)
    }

    private static func merge(_ rows: [AuditRow], order: AuditQuery.Order) -> [AuditRow] {
        let sorted = rows.sorted { left, right in
            order == .ascending ? AuditRow.precedes(left, right) : AuditRow.precedes(right, left)
        }
        var merged: [AuditRow] = []
        for row in sorted where row.id != merged.last?.id { merged.append(row) }
        return merged
    }
}
