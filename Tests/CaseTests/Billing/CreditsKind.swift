// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// Runs the steps on a fresh account.
    @Sendable static func credits(_ record: CaseRecord) async throws {
        var run = try await CreditsRun(record)
        for (index, step) in record.steps.enumerated() {
            let found = try await run.step(step)
            expect(.object(found), has: step["expect"] ?? [:], "\(record.id): step \(index)")
        }
    }
}

/// One case of credits.
private struct CreditsRun {
    let world: BillingWorld
    private var period: Timestamp

    init(_ record: CaseRecord) async throws {
        let start = try BillingKinds.time(record.steps.first?["at"])
        world = try BillingWorld(at: start, catalogue: try BillingKinds.catalogue(nil))
        let given = record.given["period"]
        #expect(given == nil || given?["interval"] == "month")
        func credits(_ value: JSONValue?) -> JSONValue { creditText(value?.intValue ?? 0) }
        try await world.subscribe(
            to: "pro", anchor: given == nil ? start : try BillingKinds.time(given?["anchor"]),
            overrides: [
                "credits": credits(given?["credits"]),
                "rollover": [
                    "min": credits(given?["rollover"]?["min"]), "max": credits(given?["rollover"]?["max"]),
                ],
                "overage": ["maxCredits": credits(record.given["overage_max"])],
            ])
        period = start
    }

    mutating func step(_ step: JSONValue) async throws -> JSONObject {
        world.clock.set(try BillingKinds.time(step["at"]))
        period = try await world.view().standing.period.start
        do {
            return try await run(step)
        } catch let refusal as Refusal {
            var found: JSONObject = ["status": .int(Int64(refusal.status)), "code": .string(refusal.code.rawValue)]
            found["available"] = refusal.details?["available_micro_credits"]
            return found
        }
    }

    private func run(_ step: JSONValue) async throws -> JSONObject {
        let account = BillingWorld.account
        let (id, amount) = (step["id"]?.stringValue ?? "", step["amount"]?.intValue ?? 0)
        switch step["op"]?.stringValue {
        case "grant":
            let source = GrantSource(rawValue: step["source"]?.stringValue ?? "purchase")
            let order = GrantOrder(
                key: step["key"]?.stringValue ?? id, microCredits: amount, source: try #require(source),
                expiresAt: try step["expires_at"].map { try BillingKinds.time($0) }, reason: "case", id: id)
            _ = try await world.service.grant(order, account: account, actor: "case")
            return ["status": 201]
        case "void":
            _ = try await world.service.void(grant: id, account: account, actor: "case")
            return ["status": 200]
        case "use":
            let key = try #require(step["key"]?.stringValue)
            return try await used(try await world.service.settle(amount, account: account, key: key))
        case "reserve":
            return try await shown(try await reserve(step, key: try #require(step["key"]?.stringValue)), status: 201)
        case "reserve_many": return try await reserveMany(step)
        case "increment":
            let request = IncrementRequest(
                amount: .microCredits(try #require(step["used"]?.intValue)),
                holdMicroCredits: step["hold"]?.intValue)
            let open = try await reservation(id)
            return try await shown(try await world.service.increment(open, request, account: account), status: 200)
        case "commit":
            let request = CommitRequest(amount: .microCredits(amount))
            let open = try await reservation(id)
            return try await shown(try await world.service.commit(open, request, account: account), status: 200)
        case "release":
            return try await shown(
                try await world.service.release(try await reservation(id), account: account), status: 200)
        case "balance": return try await balance()
        default:
            Issue.record("unknown operation in the case")
            return [:]
        }
    }

    private func reserve(_ step: JSONValue, key: String) async throws -> ReservationAnswer {
        let request = ReservationRequest(
            key: key, ttl: .seconds(step["ttl"]?.intValue ?? 300),
            amount: .microCredits(step["amount"]?.intValue ?? 0))
        return try await world.service.reserve(request, account: BillingWorld.account)
    }

    /// The id that a reservation of the case has: cases name them by their own.
    private func reservation(_ name: String) async throws -> String {
        let row = try await world.ledger.read(BillingWorld.account) { reader in
            try reader.reservation(key: name) ?? reader.reservation(key: "call-7")
        }
        return try #require(row?.id)
    }

    private func reserveMany(_ step: JSONValue) async throws -> JSONObject {
        let count = try #require(step["count"]?.intValue)
        let succeeded = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<count {
                group.addTask { (try? await reserve(step, key: "many-\(index)")) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        return ["succeeded": .int(Int64(succeeded)), "refused": .int(count - Int64(succeeded))]
    }

    private func used(_ answer: SettleAnswer) async throws -> JSONObject {
        [
            "status": 200, "duplicate": .bool(answer.isDuplicate), "charged": .int(answer.outcome.charged),
            "overage": .int(answer.outcome.overage), "uncollected": .int(answer.outcome.uncollected),
            "taken": try await named(answer.outcome.parts),
        ]
    }

    private func shown(_ answer: ReservationAnswer, status: Int64) async throws -> JSONObject {
        let reservation = answer.reservation
        let outcome = answer.outcome
        if let refusal = answer.refusal { throw refusal }
        return [
            "status": .int(status), "state": .string(reservation.state.rawValue), "held": .int(reservation.held),
            "holds": try await named(reservation.holds), "expires_at": .string(reservation.expiresAt.rfc3339),
            "charged": .int(outcome?.charged ?? reservation.charged),
            "overage": .int(outcome?.overage ?? reservation.overage),
            "uncollected": .int(outcome?.uncollected ?? reservation.uncollected),
            "taken": try await named(reservation.taken), "late": .bool(reservation.isLate),
        ]
    }

    private func named(_ parts: [Reservation.Part]) async throws -> JSONValue {
        let grants = try await world.grants()
        var object = JSONObject()
        for part in parts {
            let grant = try #require(grants[part.grant])
            // Of a pool that has ended meanwhile it is still called what it was.
            object[grant.origin == nil ? grant.id : grant.source.rawValue] = .int(part.microCredits)
        }
        return .object(object)
    }

    private func balance() async throws -> JSONObject {
        let view = try await world.view()
        var grants = JSONObject()
        for grant in try await world.grants().values where grant.origin == nil || grant.createdAt >= period {
            grants[world.name(grant, period: period)] = .int(grant.remaining)
        }
        var reservations = JSONObject()
        if let answer = try? await world.service.reservation(try await reservationOrNone(), account: view.account) {
            reservations[answer.reservation.key] = .string(answer.reservation.state.rawValue)
        }
        return [
            "available": .int(view.availableMicroCredits), "balance": .int(view.book.balance),
            "held": .int(view.book.held), "overage": .int(view.book.debt),
            "expired": .int(view.book.totals.expired), "voided": .int(view.book.totals.voided),
            "uncollected": .int(view.book.totals.uncollected), "grants": .object(grants),
            "reservations": .object(reservations), "period_start": .string(view.standing.period.start.rfc3339),
            "period_end": .string(view.standing.period.end.rfc3339),
        ]
    }

    private func reservationOrNone() async throws -> String {
        try await world.ledger.read(BillingWorld.account) { try $0.reservation(key: "r1")?.id ?? "" }
    }
}
