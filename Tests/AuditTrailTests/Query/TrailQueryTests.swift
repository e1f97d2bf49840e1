// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

/// Boolean queries and healing events over a real trail.
@Suite struct TrailQueryTests {
    private func event(_ kind: String, _ metadata: JSONObject, tenant: String? = nil) -> AuditDraft {
        AuditDraft(
            actor: "alertmanager", action: "healing.\(kind)", resource: "x", outcome: .success, metadata: metadata,
            tenant: tenant)
    }

    @Test func aCursorIsBoundToTheBooleanQuery() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            for number in 0..<9 { try await trail.record(makeDraft("user-\(number)")) }
            var query = AuditQuery()
            query.limit = 2
            query.q = try BooleanQuery(parsing: "actor>=user-3 AND status=200")
            let page = try await trail.query(query, as: .platform)
            #expect(page.rows.map(\.actor) == ["user-8", "user-7"])
            query.cursor = page.nextCursor
            #expect(try await trail.query(query, as: .platform).rows.map(\.actor) == ["user-6", "user-5"])
            for other in ["actor>=user-4", nil] {
                var changed = query
                changed.q = try other.map { try BooleanQuery(parsing: $0) }
                await #expect(throws: Refusal(.auditBadCursor)) { try await trail.query(changed, as: .platform) }
            }
            #expect(query.metadata["q"] == "actor>=user-3 AND status=200")
            await trail.close()
        }
    }

    @Test func givesTheLastHealingEventsOldestFirst() async throws {
        try await withDirectory { directory in
            let clock = ManualClock()
            let trail = makeTrail(directory, clock: clock)
            try trail.open()
            for number in 0..<6 {
                try await trail.record(
                    event("decision_skip", ["alertname": .string("A\(number % 2)"), "reason": "cooldown"]))
                try await trail.record(makeDraft())
                clock.advance(seconds: 1)
            }
            try await trail.record(event("ack", ["alertname": "A0", "comment": "Später"]))
            try await trail.record(event("resume", ["alertname": "A0"]))
            try await trail.record(event("ack", ["alertname": "A0"], tenant: "acme"))

            func found(_ reader: AuditReader = .platform, _ change: (inout HealingQuery) throws -> Void) async throws
                -> [String]
            {
                var query = HealingQuery()
                try change(&query)
                return try await trail.healingEvents(query, as: reader).map {
                    "\($0["kind"]?.stringValue ?? "") \($0["alertname"]?.stringValue ?? "")"
                }
            }
            #expect(try await found { _ in }.count == 8)
            #expect(try await found { $0.count = 3 } == ["decision_skip A1", "ack A0", "ack A0"])
            #expect(try await found { $0.kind = "ack" } == ["ack A0", "ack A0"])
            #expect(try await found { $0.kind = "resume" } == [])
            #expect(try await found { $0.filter.alertname = "A1" }.count == 3)
            #expect(try await found { $0.filter.contains = "SPÄTER" } == ["ack A0"])
            #expect(try await found { $0.filter.contains = "\"REASON\":\"cool" }.count == 6)
            #expect(
                try await found { $0.filter.query = try BooleanQuery(parsing: "kind~skip AND alertname=A0") }.count == 3
            )
            #expect(try await found { $0.since = clock.now() }.count == 2)
            #expect(try await found(.tenant("acme")) { _ in } == ["ack A0"])
            #expect(try await found(.tenant(nil)) { _ in } == [])
            await trail.close()
        }
    }

    @Test func theLineIsReadAsTheEntryIs() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            let random = SeededRandom(seed: 0x53)
            for number in 0..<40 {
                var draft = makeDraft("user-\(number)", tenant: number % 3 == 0 ? nil : "acme \"\(number)\"")
                draft.metadata["nested"] = ["actor": .string("inner-\(number)"), "list": [1, "a\nb", nil]]
                try await trail.record(draft)
            }
            let rows = try await everything(trail)
            let queries = [
                "actor=user-7", "actor.x=1 OR nested.actor~INNER-3", "tenant=null", "metadata.status=200",
                "missing=null",
                "sequence>=20 AND sequence<=22", "nested.list=\"a\" OR hash~ab", "nested.list=1 AND NOT ip=10.0.0.5",
                "timestamp>=2026-01-01T00:00:00Z", "metadata=null",
            ]
            for text in queries {
                let query = try BooleanQuery(parsing: text)
                for row in rows {
                    #expect(query.matches(line: row.line) == query.matches(HealingView.entry(row)), "\(text)")
                    // Neither are bytes that are no line.
                    var broken = row.line
                    broken[random.below(broken.count)] ^= UInt8(1 + random.below(255))
                    _ = query.matches(line: broken)
                }
            }
            await trail.close()
        }
    }
}
