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
        guard let seen = try Self.visible(query, to: reader) else { return AuditPage(rows: [], nextCursor: nil) }
        let request = AuditIndexRequest(query: seen, after: position, limit: query.limit + 1)
        let page = try await rows(request)
        guard page.count > query.limit else { return AuditPage(rows: page, nextCursor: nil) }
        let kept = Array(page[..<query.limit])
        let next = kept.last.map {
            signer.text(AuditIndexRequest.Position(at: $0.at, id: $0.id), query: query, reader: reader)
        }
        return AuditPage(rows: kept, nextCursor: next)
    }

    /// The last healing events that fit, oldest first, in their flat form.
    ///
    /// - Throws: `audit.query_too_wide`, `audit.unavailable`.
    package func healingEvents(_ query: HealingQuery, as reader: AuditReader) async throws(Refusal) -> [JSONObject] {
        let start = ContinuousClock.now
        var found: [AuditRow] = []
        for action in query.actions {
            var entries = AuditQuery()
            entries.action = action
            entries.from = query.since
            guard let seen = try Self.visible(entries, to: reader) else { return [] }
            let request = AuditIndexRequest(query: seen, after: nil, limit: query.count, healing: query.filter)
            found += try await rows(request)
            guard ContinuousClock.now - start < Self.longestQuery else { throw Self.tooWide }
        }
        let newest = found.sorted(by: AuditRow.precedes).suffix(query.count)
        return newest.compactMap { HealingView.event(of: $0) }
    }

    /// How long a query may take.
    package static let longestQuery = Duration.seconds(5)

    /// The refusal of a query that reached its bounds.
    package static let tooWide = Refusal(
        .auditQueryTooWide,
        details: ["hint": "Narrow the query by from and to, or by actor, resource or session_id"])

    /// The query as far as the reader may see; nil when there is nothing.
    private static func visible(_ query: AuditQuery, to reader: AuditReader) throws(Refusal) -> AuditQuery? {
        guard case .tenant(let tenant) = reader else { return query }
        if let asked = query.tenant, asked != tenant { throw Refusal(.auditTenantForbidden) }
        guard let tenant else { return nil }
        var seen = query
        seen.tenant = tenant
        return seen
    }

    private func rows(_ request: AuditIndexRequest) async throws(Refusal) -> [AuditRow] {
        // Memory first: what moves from there into the index meanwhile is then in both, never in neither.
        var rows = trail.rows(request)
        if let index { rows += try await index.rows(request) }
        return Self.merge(rows, order: request.query.order)
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
