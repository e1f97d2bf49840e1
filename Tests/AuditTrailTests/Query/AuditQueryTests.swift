// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

@Suite struct AuditQueryTests {
    private static let badFilters: [(JSONValue, String)] = [
        (["limit": 0], "limit"), (["limit": 1001], "limit"), (["limit": "5"], "limit"),
        (["from": "yesterday"], "from"), (["to": "2026-03-01T12:00:00"], "to"), (["outcome": "ok"], "outcome"),
        (["order": "up"], "order"), (["actor": 5], "actor"), (["q": 5], "q"),
        (["from": "2026-03-01T12:00:00Z", "to": "2026-03-01T12:00:00Z"], "from"),
    ]

    @Test(arguments: badFilters)
    func namesTheBadFilter(json: JSONValue, field: String) {
        #expect { try AuditQuery.parse(json: json) } throws: { error in
            let refusal = error as? Refusal
            return refusal?.code == .auditBadFilter && refusal?.details?["field"] == .string(field)
        }
    }

    @Test func refusesWhatItDoesNotKnow() {
        for json in [["actors": "a"], [], "x", nil] as [JSONValue] {
            #expect { try AuditQuery.parse(json: json) } throws: { ($0 as? Refusal)?.code == .requestMalformed }
        }
        #expect { try AuditQuery.parse(queryItems: [("a", "b")]) } throws: {
            ($0 as? Refusal)?.code == .requestMalformed
        }
        #expect { try AuditQuery.parse(queryItems: [("limit", "x")]) } throws: {
            ($0 as? Refusal)?.code == .auditBadFilter
        }
    }

    @Test func anEmptyQueryIsTheNewestHundred() throws {
        #expect(try AuditQuery.parse(json: [:]) == AuditQuery())
        #expect(AuditQuery().limit == 100)
        #expect(AuditQuery().order == .descending)
    }

    @Test func tenantsSeeTheirOwnOnly() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            for tenant in ["acme", "other", nil] { try await trail.record(makeDraft(tenant: tenant)) }
            #expect(try await trail.query(AuditQuery(), as: .platform).rows.count == 3)
            let own = try await trail.query(AuditQuery(), as: .tenant("acme")).rows
            #expect(own.map(\.tenant) == ["acme"])
            #expect(try await trail.query(AuditQuery(), as: .tenant(nil)).rows.isEmpty)
            var query = AuditQuery()
            query.tenant = "other"
            #expect(try await trail.query(query, as: .platform).rows.count == 1)
            for reader in [AuditReader.tenant("acme"), .tenant(nil)] {
                await #expect(throws: Refusal(.auditTenantForbidden)) { try await trail.query(query, as: reader) }
            }
            await trail.close()
        }
    }

    @Test(arguments: [AuditQuery.Order.ascending, .descending])
    func pagesNeitherRepeatNorSkip(order: AuditQuery.Order) async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            for number in 0..<50 { try await trail.record(makeDraft("user-\(number)")) }
            var query = AuditQuery()
            query.order = order
            query.limit = 7
            var seen: [String] = []
            repeat {
                let page = try await trail.query(query, as: .platform)
                seen += page.rows.map(\.actor)
                query.cursor = page.nextCursor
                if order == .descending { try await trail.record(makeDraft("late")) }
            } while query.cursor != nil
            let expected = (0..<50).map { "user-\($0)" }
            #expect(seen == (order == .ascending ? expected : expected.reversed()))
            await trail.close()
        }
    }

    @Test func aCursorBelongsToItsQuery() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            for _ in 0..<5 { try await trail.record(makeDraft()) }
            var query = AuditQuery()
            query.limit = 2
            let cursor = try #require(await trail.query(query, as: .platform).nextCursor)
            query.cursor = cursor
            query.limit = 3
            #expect(try await trail.query(query, as: .platform).rows.count == 3)
            var other = query
            other.order = .ascending
            var filtered = query
            filtered.actor = "user-1"
            var forged = query
            forged.cursor = "A" + cursor.dropFirst()
            for bad in [other, filtered, forged] where bad != query {
                await #expect(throws: Refusal(.auditBadCursor)) { try await trail.query(bad, as: .platform) }
            }
            await #expect(throws: Refusal(.auditBadCursor)) { try await trail.query(query, as: .tenant("acme")) }
            await trail.close()
        }
    }
}
