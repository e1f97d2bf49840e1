// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct UsageEventRoutesTests {
    private static let path = "/v1/usage/events"
    private static let structured = [("Content-Type", "application/cloudevents+json")]

    private static func event(
        _ id: String, subject: String = "acme", model: String = "gpt-4o-mini", input: Int64 = 1_000_000
    ) -> String {
        """
        {"specversion":"1.0","id":"\(id)","source":"gw","type":"dev.tollgate.usage.tokens","subject":"\(subject)",
        "data":{"model":"\(model)","input_tokens":\(input),"user":"u"}}
        """
    }

    @Test(arguments: ["application/cloudevents+json", "application/json", "application/json; charset=utf-8"])
    func recordsOneEvent(_ type: String) async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let reply = try await world.send(.post, Self.path, Self.event("e1"), as: "olga@acme", [("Content-Type", type)])
        #expect(reply.status == 202)
        #expect(
            reply.json == [
                "accepted": 1, "duplicates": 0, "rejected": 0,
                "results": [
                    [
                        "index": 0, "id": "e1", "source": "gw", "status": "accepted",
                        "charge_micro_credits": 15_000_000,
                    ]
                ],
            ])
        #expect(reply["X-Tollgate-Plan"] == "enterprise" && reply["X-Tollgate-Credits-Remaining"] == "85")
        #expect(world.gate.audit.durable.last?.metadata["accepted"] == 1)
    }

    @Test func recordsABinaryEvent() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let headers = [
            ("ce-specversion", "1.0"), ("ce-id", "e1"), ("ce-source", "gw"),
            ("ce-type", "dev.tollgate.usage.tokens"), ("ce-subject", "acme"), ("Content-Type", "application/json"),
        ]
        let reply = try await world.send(
            .post, Self.path, #"{"model":"gpt-4o-mini","output":1000000}"#, as: "olga@acme", headers)
        #expect(reply.status == 202 && reply.json["results"]?.arrayValue?[0]["charge_micro_credits"] == 60_000_000)
    }

    @Test func oneBadEventNeverSpoilsTheOthers() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let body = """
            [\(Self.event("e1")),\(Self.event("e2", model: "no-such")),\(Self.event("e1")),\(Self.event("e1", input: 2)),
            \(Self.event("e3", subject: "other")),7,\(Self.event("e4"))]
            """
        let batch = [("Content-Type", "application/cloudevents-batch+json")]
        let reply = try await world.send(.post, Self.path, body, as: "olga@acme", batch)
        #expect(reply.status == 202)
        #expect(reply.json["accepted"] == 2 && reply.json["duplicates"] == 2 && reply.json["rejected"] == 3)
        let results = try #require(reply.json["results"]?.arrayValue)
        #expect(results.compactMap { $0["index"]?.intValue } == [0, 1, 2, 3, 4, 5, 6])
        #expect(
            results.map { $0["code"]?.stringValue ?? $0["status"]?.stringValue } == [
                "accepted", "billing.unknown_model", "duplicate", "duplicate", "usage.wrong_account",
                "usage.missing_field", "accepted",
            ])
        #expect(results[2]["conflict"] == false && results[3]["conflict"] == true && results[4]["field"] == "subject")
        #expect(try await world.billing.view("acme").availableMicroCredits == 70_000_000)
    }

    @Test func platformPrincipalsReportForEveryAccount() async throws {
        let world = try BillingGate()
        for account in ["acme", "other"] { try await world.open(account, microCredits: 100_000_000) }
        let body = "[\(Self.event("e1")),\(Self.event("e1", subject: "other"))]"
        let reply = try await world.send(.post, Self.path, body, as: "~gw", [("Content-Type", "application/json")])
        #expect(reply.status == 202 && reply.json["accepted"] == 2 && reply["X-Tollgate-Plan"] == nil)
        for account in ["acme", "other"] {
            #expect(try await world.billing.view(account).availableMicroCredits == 85_000_000)
        }
    }

    @Test(arguments: [
        ("{", 400, "request.malformed"), ("", 400, "request.malformed"), ("7", 400, "request.malformed"),
        ("{}", 422, "usage.missing_field"),
        (event("e").replacing("1.0", with: "0.3"), 422, "usage.bad_specversion"),
        (event("e", subject: "other"), 422, "usage.wrong_account"),
        (event("e").replacing("usage.tokens", with: "usage.x"), 422, "usage.unknown_type"),
        (event("e", input: -1), 422, "usage.bad_count"),
        (event("e", model: "no-such"), 422, "billing.unknown_model"),
    ])
    func refusesASingleEvent(_ body: String, _ status: Int, _ code: String) async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let reply = try await world.send(.post, Self.path, body, as: "olga@acme", Self.structured)
        #expect(reply.status == status && reply.code == code)
        #expect(try await world.billing.view("acme").availableMicroCredits == 100_000_000)
    }

    @Test func refusesTooMuch() async throws {
        let world = try BillingGate()
        let many = "[" + Array(repeating: "{}", count: 1001).joined(separator: ",") + "]"
        let json = [("Content-Type", "application/json")]
        let list = try await world.send(.post, Self.path, many, as: "olga@acme", json)
        #expect(list.status == 413 && list.json["details"] == ["limit_events": 1000])
        let large = Self.event(String(repeating: "x", count: 70_000))
        let one = try await world.send(.post, Self.path, large, as: "olga@acme", json)
        #expect(one.status == 413 && one.json["details"] == ["limit_event_bytes": 65_536, "index": 0])
        let body = String(repeating: " ", count: 1_048_577)
        let whole = try await world.send(.post, Self.path, body, as: "olga@acme", json)
        #expect(whole.status == 413 && whole.code == "request.too_large")
        let fits = "[" + Array(repeating: "{}", count: 1000).joined(separator: ",") + "]"
        #expect(try await world.send(.post, Self.path, fits, as: "olga@acme", json).json["rejected"] == 1000)
    }

    @Test func anEventCommitsItsReservation() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let id = try await world.reserved(50_000_000)
        let body = Self.event("e1").replacing(#""user":"u""#, with: #""reservation":"\#(id)""#)
        #expect(try await world.send(.post, Self.path, body, as: "olga@acme", Self.structured).status == 202)
        let shown = try await world.send(.get, "/v1/billing/reservations/\(id)")
        #expect(shown.json["state"] == "committed" && shown.json["used_micro_credits"] == 15_000_000)
    }

    /// Whatever comes in: an answer of the interface, and nothing is charged that was not accepted.
    @Test(arguments: 0..<8)
    func anythingIsAnswered(_ seed: UInt64) async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 1_000_000_000)
        let random = SeededRandom(seed: seed)
        let sound = Array(Self.event("e1", input: 1000).utf8)
        for _ in 0..<60 {
            var bytes = sound
            for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(0x20 + random.below(95)) }
            let body = String(decoding: bytes.prefix(bytes.count - random.below(2) * random.below(40)), as: UTF8.self)
            for path in [Self.path, "/v1/billing/reservations", "/v1/billing/eligibility", "/v1/billing/budgets"] {
                let before = try await world.billing.view("acme").availableMicroCredits
                let reply = try await world.send(.post, path, body, as: "olga@acme", Self.structured)
                #expect([200, 201, 202, 400, 403, 413, 422].contains(reply.status), "\(path) \(body)")
                if reply.status >= 400 {
                    #expect(reply.code != nil, "\(path) \(body)")
                    #expect(try await world.billing.view("acme").availableMicroCredits == before, "\(path) \(body)")
                }
            }
        }
    }
}
