// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct GrantRoutesTests {
    private static let base = "/v1/billing/grants"
    private static let body = #"{"account":"acme","key":"k","micro_credits":3000000,"reason":"goodwill"}"#

    @Test func grantsAndVoids() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 0)
        let made = try await world.send(.post, Self.base, Self.body, as: "+root")
        let id = try #require(made.json["id"]?.stringValue)
        let grant: JSONObject = [
            "id": .string(id), "key": "k", "micro_credits": 3_000_000, "source": "admin", "priority": 30,
            "created_at": "2026-03-01T12:00:00Z", "effective_at": "2026-03-01T12:00:00Z", "expires_at": nil,
            "reason": "goodwill", "features": [], "state": "open", "remaining_micro_credits": 3_000_000,
            "held_micro_credits": 0, "spent_micro_credits": 0, "expired_micro_credits": 0,
            "voided_micro_credits": 0, "balance_micro_credits": 3_000_000,
        ]
        #expect(made.status == 201 && made.json == .object(grant))
        let entry = try #require(world.gate.audit.durable.last)
        #expect(entry.resource == id && entry.metadata["reason"] == "goodwill" && entry.metadata["account"] == "acme")
        #expect(entry.metadata["before"]?["remaining_micro_credits"] == 0)
        #expect(entry.metadata["after"]?["remaining_micro_credits"] == 3_000_000)
        #expect(try await world.send(.post, Self.base, Self.body, as: "+root").json == made.json)
        let other = try await world.send(.post, Self.base, Self.body.replacing("3000000", with: "4"), as: "+root")
        #expect(other.status == 422 && other.code == "request.idempotency_mismatch")
        let void = #"{"account":"acme","reason":"mistake"}"#
        for _ in 0..<2 {
            let voided = try await world.send(.post, "\(Self.base)/\(id)/void", void, as: "+root")
            #expect(voided.status == 200 && voided.json["state"] == "voided")
            #expect(voided.json["voided_micro_credits"] == 3_000_000 && voided.json["balance_micro_credits"] == 0)
        }
        #expect(world.gate.audit.durable.last?.metadata["reason"] == "mistake")
        let missing = try await world.send(.post, "\(Self.base)/none/void", void, as: "+root")
        #expect(missing.told == "404 billing.not_found: There is no such thing in this account")
    }

    @Test(arguments: [
        ("olga@acme", 403, "policy.platform_required"), ("~gw@acme", 403, "policy.permission_denied"),
    ])
    func onlyPlatformAdminsGrant(_ caller: String, _ status: Int, _ code: String) async throws {
        let world = try BillingGate()
        for path in [Self.base, "\(Self.base)/g-k/void"] {
            let reply = try await world.send(.post, path, Self.body, as: caller)
            #expect(reply.status == status && reply.code == code)
        }
        for path in ["/v1/billing/prices/rerate", "/v1/billing/prices"] {
            let reply = try await world.send(path.hasSuffix("s") ? .put : .post, path, "{}", as: caller)
            #expect(reply.status == status && reply.code == code)
        }
        #expect(try await world.billing.view("acme").availableMicroCredits == 100_000_000)
    }

    @Test(arguments: [
        ("reason", #""reason":"""#), ("micro_credits", #""micro_credits":0"#),
        ("micro_credits", #""micro_credits":1000000000000001"#), ("source", #""source":"subscription""#),
        ("priority", #""priority":256"#), ("expires_at", #""expires_at":"soon""#),
    ])
    func refusesWhatIsNoGrant(_ field: String, _ member: String) async throws {
        let members = [
            "account": #""account":"acme""#, "key": #""key":"k""#, "micro_credits": #""micro_credits":1"#,
            "reason": #""reason":"r""#,
        ].merging([field: member]) { $1 }
        let body = "{\(members.values.joined(separator: ","))}"
        let world = try BillingGate()
        let reply = try await world.send(.post, Self.base, body, as: "+root")
        #expect(reply.status == 422 && reply.fields == [field])
    }

    @Test func aStoreThatIsAwayGrantsNothing() async throws {
        let world = try BillingGate()
        world.ledger.isAway = true
        let reply = try await world.send(.post, Self.base, Self.body, as: "+root")
        #expect(reply.status == 503 && reply.code == "billing.unavailable")
    }
}
