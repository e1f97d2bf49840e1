// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import Testing

/// `GET /audit`, its older name, and boolean queries at the doors of the trail.
@Suite struct HealingAuditRoutesTests {
    @Test(arguments: ["/audit", "/api/ops/autoheal/audit"])
    func listsHealingEvents(_ path: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(
            .get, path + "?n=7&since=1762135095.1800001&kind=ack&alertname=HighCPU&contains=A%20b&q=kind%3Dack")
        #expect(reply.status == 200)
        #expect(reply.text == #"{"count":1,"events":[{"kind":"ack","ts":1762138695.500000,"id":"i"}]}"#)
        let asked = try #require(gate.trail.healingQueries.first)
        #expect(asked.reader == .platform)
        #expect(asked.query.count == 7)
        #expect(asked.query.since == Timestamp(microseconds: 1_762_135_095_180_001))
        #expect(asked.query.kind == "ack")
        #expect(asked.query.filter.alertname == "HighCPU")
        #expect(asked.query.filter.contains == "A b")
        #expect(asked.query.filter.query?.text == "kind=ack")
        #expect(gate.audit.queued.first?.metadata["filters"]?["q"] == "kind=ack")
        #expect(gate.audit.queued.first?.metadata["filters"]?["n"] == 7)
        #expect(gate.audit.queued.first?.action == "audit.query")
    }

    @Test func givesTheLastTwoHundredUnlessTold() async throws {
        let gate = Gate()
        #expect(try await gate.send(.get, "/audit?since=0").status == 200)
        #expect(gate.trail.healingQueries.first?.query == HealingQuery())
        #expect(HealingQuery().count == 200)
        for text in ["2026-02-10T08:00:00%2B00:00", "1770710400", "1770710400.000000"] {
            #expect(try await gate.send(.get, "/audit?since=\(text)").status == 200)
            #expect(gate.trail.healingQueries.last?.query.since == Timestamp(seconds: 1_770_710_400))
        }
    }

    /// A form sends every field, filled in or not.
    @Test func takesAnEmptyFieldForNone() async throws {
        let gate = Gate()
        #expect(try await gate.send(.get, "/audit?n=200&kind=&alertname=&contains=").status == 200)
        #expect(gate.trail.healingQueries.first?.query == HealingQuery())
    }

    @Test func showsOnlyTheOwnTenant() async throws {
        let gate = Gate(decider: FakeDecider(admit: { FakeDecider.admitted($0, holding: ["monitor:read"]) }))
        #expect(try await gate.send(.get, "/audit").status == 200)
        #expect(gate.trail.healingQueries.first?.reader == .tenant("acme"))
    }

    @Test(arguments: [
        ("n=0", "n"), ("n=5001", "n"), ("n=ten", "n"), ("n=", "n"), ("n=-1", "n"), ("n=+5", "n"), ("n=1e3", "n"),
        ("n=99999999999999999999", "n"), ("since=yesterday", "since"), ("since=-1", "since"), ("since=1.", "since"),
        ("since=", "since"), ("since=2026-02-10", "since"), ("n=1&n=2", "n"),
        ("kind=action_okay", "kind"), ("kind=ACK", "kind"),
    ])
    func namesTheBadParameter(_ query: String, field: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, "/audit?" + query)
        #expect(reply.status == 422)
        #expect(reply.code == "request.invalid")
        #expect(reply.json["details"]?["fields"]?.arrayValue?.first?["field"] == .string(field))
        #expect(gate.trail.healingQueries.isEmpty)
    }

    @Test(arguments: ["/audit?q=", "/v1/audit/events?q=", "/v1/audit?q="])
    func saysWhereAQueryIsWrong(_ path: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, path + "actor%3DZo%C3%AB%20kind%3Dx")
        #expect(reply.status == 400)
        #expect(reply.code == "audit.bad_query")
        #expect(reply.json["details"] == ["position": 10, "reason": "expected_connective"])
        #expect(gate.trail.queries.isEmpty && gate.trail.healingQueries.isEmpty)
    }

    /// Forms write blanks so, and with them most clients; a time keeps its zone.
    @Test func takesAPlusForABlank() async throws {
        let gate = Gate()
        let target = "/v1/audit/events?q=status%3E%3D400+AND+actor=a%2Bb&from=2026-02-10T10:00:00+01:00"
        #expect(try await gate.send(.get, target).status == 200)
        #expect(gate.trail.queries.first?.q?.text == "status>=400 AND actor=a+b")
    }

    @Test func takesABooleanQueryInABody() async throws {
        let gate = Gate()
        #expect(try await gate.send(.post, "/v1/audit/query", body: #"{"q":"status>=400"}"#).status == 200)
        #expect(gate.trail.queries.first?.q?.text == "status>=400")
        #expect(gate.audit.queued.first?.metadata["filters"]?["q"] == "status>=400")
        let bad = try await gate.send(.post, "/v1/audit/query", body: #"{"q":"a=\"b"}"#)
        #expect(bad.code == "audit.bad_query")
        #expect(bad.json["details"] == ["position": 2, "reason": "unterminated_string"])
        #expect(try await gate.send(.post, "/v1/audit/query", body: #"{"q":5}"#).code == "audit.bad_filter")
    }

    @Test func refusesWhatItDoesNotKnow() async throws {
        let gate = Gate()
        #expect(try await gate.send(.get, "/audit?limit=5").code == "request.malformed")
    }

    @Test func answersHealthUnderItsOlderName() async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, "/api/ops/autoheal/healthz")
        #expect(reply.status == 200)
        #expect(reply.json["status"] == "ok")
        #expect(gate.audit.queued.isEmpty)
    }
}
