// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct ReservationRoutesTests {
    private static let base = "/v1/billing/reservations"

    @Test func servesTheWholeLife() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let made = try await world.send(
            .post, Self.base, #"{"key":"r1","ttl":"1m","micro_credits":2000000,"user":"u"}"#)
        let id = try #require(made.json["id"]?.stringValue)
        #expect(made.status == 201)
        #expect(
            made.json == [
                "id": .string(id), "key": "r1", "state": "open", "held_micro_credits": 2_000_000,
                "created_at": "2026-03-01T12:00:00Z", "expires_at": "2026-03-01T12:01:00Z",
                "remaining_micro_credits": 3_000_000, "subscription": ["plan": "enterprise", "state": "active"],
                "charged_micro_credits": 0, "overage_micro_credits": 0, "uncollected_micro_credits": 0,
                "used_micro_credits": 0, "used_micro_usd": 0, "late": false,
            ])
        #expect(made["X-Tollgate-Plan"] == "enterprise" && made["X-Tollgate-Credits-Remaining"] == "3")
        let entry = try #require(world.gate.audit.durable.last)
        #expect(entry.resource == id && entry.metadata["account"] == "acme")
        let step = try await world.send(.post, "\(Self.base)/\(id)/increment", #"{"micro_credits":500000}"#)
        #expect(step.status == 200 && step.json["charged_micro_credits"] == 500_000)
        #expect(step.json["held_micro_credits"] == 2_000_000 && step["X-Tollgate-Credits-Remaining"] == "2.5")
        let shown = try await world.send(.get, "\(Self.base)/\(id)")
        #expect(shown.status == 200 && shown.json["used_micro_credits"] == 500_000)
        let done = try await world.send(.post, "\(Self.base)/\(id)/commit", #"{"micro_credits":1500000}"#)
        #expect(done.status == 200 && done.json["state"] == "committed" && done.json["held_micro_credits"] == 0)
        #expect(done.json["charged_micro_credits"] == 1_500_000 && done["X-Tollgate-Credits-Remaining"] == "3.5")
        #expect(
            try await world.send(.post, "\(Self.base)/\(id)/commit", #"{"micro_credits":1500000}"#).json == done.json)
        let other = try await world.send(.post, "\(Self.base)/\(id)/commit", #"{"micro_credits":1500001}"#)
        #expect(other.status == 409 && other.code == "billing.reservation_committed")
        let late = try await world.send(.post, "\(Self.base)/\(id)/release")
        #expect(late.status == 409 && late.code == "billing.reservation_committed")
    }

    @Test func givesBackWhatIsReleased() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let id = try await world.reserved(2_000_000)
        for _ in 0..<2 {
            let released = try await world.send(.post, "\(Self.base)/\(id)/release")
            #expect(released.status == 200 && released.json["state"] == "released")
            #expect(released.json["remaining_micro_credits"] == 5_000_000)
        }
        let commit = try await world.send(.post, "\(Self.base)/\(id)/commit", #"{"micro_credits":1}"#)
        #expect(commit.status == 409 && commit.code == "billing.reservation_released")
    }

    @Test func refusesWhatIsNotThere() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 1_500_000)
        let reply = try await world.send(.post, Self.base, #"{"key":"r1","micro_credits":2000000}"#)
        #expect(reply.told == "402 billing.insufficient_credits: There are not enough credits")
        let details = try #require(reply.json["details"])
        #expect(details["required_micro_credits"] == 2_000_000 && details["available_micro_credits"] == 1_500_000)
        #expect(details["additional_needed_micro_credits"] == 500_000 && details["unit"] == "micro_credits")
        #expect(details["required_credits"] == 2 && details["available_credits"] == 1)
    }

    @Test func settlesBeforeItRefusesTheHold() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 1_000_000)
        let id = try await world.reserved(1_000_000)
        let reply = try await world.send(.post, "\(Self.base)/\(id)/increment", #"{"micro_credits":400000}"#)
        #expect(reply.status == 402 && reply.code == "billing.insufficient_credits")
        #expect(reply.json["details"]?["reservation"]?["used_micro_credits"] == 400_000)
        let fallen = try await world.send(.post, "\(Self.base)/\(id)/increment", #"{"micro_credits":1}"#)
        #expect(fallen.status == 422 && fallen.code == "billing.not_monotonic")
    }

    @Test(arguments: [
        (#"{"key":"r","micro_credits":1,"x":1}"#, 400, "request.malformed", [String]()),
        ("{", 400, "request.malformed", []), ("[]", 400, "request.malformed", []),
        (#"{"micro_credits":1}"#, 422, "request.invalid", ["key"]),
        (#"{"key":"r"}"#, 422, "request.invalid", ["usage"]),
        (#"{"key":"r","micro_credits":-1}"#, 422, "request.invalid", ["micro_credits"]),
        (#"{"key":"r","micro_credits":1,"ttl":"9s"}"#, 422, "request.invalid", ["ttl"]),
        (#"{"key":"r","micro_credits":1,"ttl":3601}"#, 422, "request.invalid", ["ttl"]),
        (#"{"key":"r","usage":{"model":"gpt-4o-mini"}}"#, 422, "usage.missing_counts", []),
        (#"{"key":"r","usage":{"model":"gpt-4o-mini","input":-1}}"#, 422, "usage.bad_count", []),
        (#"{"key":"r","usage":{"model":"no-such","input":1}}"#, 422, "billing.unknown_model", []),
    ])
    func refusesWhatIsNoReservation(
        _ body: String, _ status: Int, _ code: String, _ fields: [String]
    ) async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let reply = try await world.send(.post, Self.base, body)
        #expect(reply.status == status && reply.code == code && reply.fields == fields)
        #expect(try await world.billing.view("acme").availableMicroCredits == 5_000_000)
    }

    @Test func theSameKeyIsTheSameReservation() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let (first, second) = (try await world.reserved(1_000_000), try await world.reserved(1_000_000))
        #expect(first == second)
        let other = try await world.send(.post, Self.base, #"{"key":"r1","micro_credits":2}"#)
        #expect(other.status == 422 && other.code == "request.idempotency_mismatch")
        #expect(try await world.billing.view("acme").availableMicroCredits == 4_000_000)
    }

    @Test func repeatsAnAnswerUnderItsIdempotencyKey() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let key = [("Idempotency-Key", "k")]
        let body = #"{"key":"r1","micro_credits":1}"#
        let first = try await world.send(.post, Self.base, body, as: "olga@acme", key)
        let second = try await world.send(.post, Self.base, body, as: "olga@acme", key)
        #expect(second.status == 201 && second.json == first.json && second["Idempotency-Replayed"] == "true")
        for name in ["X-Tollgate-Plan", "X-Tollgate-Credits-Remaining"] {
            #expect(first[name] != nil && second[name] == first[name])
        }
    }

    @Test func anotherTenantsReservationIsNotThere() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 5_000_000)
        let id = try await world.reserved(1)
        let missing = "404 billing.not_found: There is no such thing in this account"
        #expect(try await world.send(.get, "\(Self.base)/\(id)", as: "eve@other").told == missing)
        for verb in ["commit", "increment", "release"] {
            let body = verb == "release" ? nil : #"{"micro_credits":1}"#
            let reply = try await world.send(.post, "\(Self.base)/\(id)/\(verb)", body, as: "eve@other")
            #expect(reply.told == missing, "\(verb)")
            let named = try await world.send(
                .post, "\(Self.base)/\(id)/\(verb)?account=acme", body, as: "eve@other")
            #expect(named.status == 403 && named.code == "policy.tenant_denied", "\(verb)")
        }
        #expect(try await world.send(.get, "\(Self.base)/\(id)?account=acme", as: "~gw").status == 200)
    }

    /// 1000 at once, for an account that has credits for 100.
    @Test func exactlyAsManySucceedAsThereAreCreditsFor() async throws {
        let world = try BillingGate()
        try await world.open(microCredits: 100_000_000)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    try await world.send(.post, Self.base, #"{"key":"k\#(number)","micro_credits":1000000}"#).status
                }
            }
            return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(statuses == [201: 100, 402: 900])
        let view = try await world.billing.view("acme")
        #expect(view.availableMicroCredits == 0 && view.book.held == 100_000_000)
    }
}
