// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
internal import Essentials

/// What every index over the audit trail must do.
package struct AuditIndexContract: Sendable {
    /// One thing that holds.
    package struct Behaviour: Sendable, CustomStringConvertible {
        package let description: String
        let maximumRows: Int
        let check: @Sendable (AuditIndexContract) async throws -> Void

        init(
            _ name: String, maximumRows: Int = 1_000_000,
            _ check: @escaping @Sendable (AuditIndexContract) async throws -> Void
        ) {
            description = name
            self.maximumRows = maximumRows
            self.check = check
        }
    }

    /// All of them.
    package static let behaviours: [Behaviour] = [
        Behaviour("index: answers every filter like memory does") { try await $0.answersEveryFilter() },
        Behaviour("index: stops a query that is too wide", maximumRows: 10) { try await $0.stopsATooWideQuery() },
        Behaviour("index: looks into rows far behind") { try await $0.looksIntoRowsFarBehind() },
        Behaviour("index: keeps writers apart") { try await $0.keepsWritersApart() },
    ]

    let index: any AuditIndexing

    /// Checks one behaviour.
    ///
    /// - Parameter withIndex: makes an empty index that examines at most that many rows for a query.
    package static func check(
        _ behaviour: Behaviour,
        withIndex: (Int, @Sendable (any AuditIndexing) async throws -> Void) async throws -> Void
    ) async throws {
        try await withIndex(behaviour.maximumRows) { index in
            try await behaviour.check(AuditIndexContract(index: index))
        }
    }

    /// Entries as a trail writes them: of three actors, with and without a tenant, two of each microsecond.
    package static func rows(_ count: Int, writer: String = "w1") -> [AuditRow] {
        let lines = SegmentText.lines(
            writer: writer, created: Timestamp(seconds: 1), firstSequence: 1, previousSegment: nil,
            previousHash: ChainHasher.zeros,
            entries: (0..<count).map { number in
                let at = Timestamp(microseconds: Int64(1_000_000 + number / 2))
                return (UUIDv7.make(at: at), at, draft(number))
            }, closed: nil)
        return lines.dropFirst().compactMap { AuditRow(line: $0, writer: writer) }
    }

    /// What the entry of that number says.
    package static func draft(_ number: Int) -> AuditDraft {
        AuditDraft(
            actor: "user-\(number % 3)", action: "a.\(number % 2)", resource: "r\(number)", outcome: .success,
            ip: "10.0.0.\(number % 5)", sessionID: "s\(number % 7)", tenant: number % 2 == 0 ? "acme" : nil)
    }

    private func hold(_ condition: Bool, _ what: String = "", line: UInt = #line) throws {
        guard !condition else { return }
        throw StoreContract.Broken(description: "what line \(line) of the index contract says does not hold: \(what)")
    }

    private func answersEveryFilter() async throws {
        let rows = Self.rows(200)
        try hold(rows.count == 200)
        try await index.add(rows)
        try await index.add(rows)
        try await index.add([])
        for query in Self.queries() {
            for order in [AuditQuery.Order.ascending, .descending] {
                var query = query
                query.order = order
                let after = AuditIndexRequest.Position(at: rows[90].at, id: rows[90].id)
                for place in [nil, after] {
                    let request = AuditIndexRequest(query: query, after: place, limit: 20)
                    let expected = rows.filter { request.matches($0) }.sorted {
                        order == .ascending ? AuditRow.precedes($0, $1) : AuditRow.precedes($1, $0)
                    }
                    try hold(try await index.rows(request) == Array(expected.prefix(20)), "\(query)")
                }
            }
        }
    }

    private static func queries() -> [AuditQuery] {
        var queries = [AuditQuery()]
        let changes: [(inout AuditQuery) -> Void] = [
            { $0.actor = "user-1" }, { $0.action = "a.1" }, { $0.resource = "r17" }, { $0.outcome = .success },
            { $0.outcome = .denied }, { $0.tenant = "acme" }, { $0.sessionID = "s3" }, { $0.ip = "10.0.0.2" },
            { $0.from = Timestamp(microseconds: 1_000_040) }, { $0.to = Timestamp(microseconds: 1_000_060) },
            { $0.q = try? BooleanQuery(parsing: "(actor=user-1 OR ip=10.0.0.3) AND NOT resource~r1") },
        ]
        for change in changes {
            var one = AuditQuery()
            change(&one)
            queries.append(one)
            for other in changes {
                var two = one
                other(&two)
                queries.append(two)
            }
        }
        return queries
    }

    private func stopsATooWideQuery() async throws {
        try await index.add(Self.rows(40))
        for tenant in ["acme", nil] {
            var query = AuditQuery()
            query.ip = "192.0.2.1"
            query.tenant = tenant
            do {
                _ = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 5))
                try hold(false, "a query over 20 rows ends where 10 are allowed")
            } catch let refusal as Refusal {
                try hold(refusal.code == .auditQueryTooWide, "\(refusal)")
            }
            query.ip = nil
            query.q = try BooleanQuery(parsing: "resource=nothing")
            do {
                _ = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 5))
                try hold(false, "a boolean query over 20 rows ends where 10 are allowed")
            } catch let refusal as Refusal {
                try hold(refusal.code == .auditQueryTooWide, "\(refusal)")
            }
            query.q = try BooleanQuery(parsing: "resource~r")
            try hold(try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 5)).count == 5)
            query.q = nil
            try hold(try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 5)).count == 5)
        }
    }

    private func looksIntoRowsFarBehind() async throws {
        let rows = Self.rows(5000)
        try await index.add(rows)
        for order in [AuditQuery.Order.ascending, .descending] {
            var query = AuditQuery()
            query.order = order
            query.q = try BooleanQuery(parsing: "resource=r3 OR resource=r2500 OR resource=r4990")
            let found = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 5)).map(\.resource)
            let expected = ["r3", "r2500", "r4990"]
            try hold(found == (order == .ascending ? expected : expected.reversed()), "\(found)")
        }
        try await index.forget(writer: "w1", before: 4001)
        guard !index.keepsEntries else { return }
        var query = AuditQuery()
        query.order = .ascending
        let left = try await index.rows(AuditIndexRequest(query: query, after: nil, limit: 1000)).map(\.sequence)
            .sorted()
        try hold(left == Array(4001...5000))
        try hold(try await index.lastSequence(writer: "w1") == 5000)
    }

    private func keepsWritersApart() async throws {
        try hold(try await index.lastSequence(writer: "w1") == 0)
        try await index.add(Self.rows(30))
        try await index.add(Self.rows(10, writer: "w2"))
        try hold(try await index.lastSequence(writer: "w1") == 30)
        try hold(try await index.lastSequence(writer: "w2") == 10)
        try await index.removeAll(writer: "w1")
        try hold(try await index.lastSequence(writer: "w1") == 0)
        try hold(try await index.lastSequence(writer: "w2") == 10)
        try await index.add(Self.rows(5))
        try hold(try await index.lastSequence(writer: "w1") == 5)
    }
}
