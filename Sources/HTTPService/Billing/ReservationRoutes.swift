// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Reservations: held, settled, given back.
struct ReservationRoutes: Sendable {
    let services: BillingServices

    private static let base = "/v1/billing/reservations"

    var routes: [OwnRoute] {
        let billing = services.billing
        let item = Self.base + "/{id}"
        return [
            OwnRoute("POST", Self.base, .write) { call throws(Refusal) in
                let request = try ReservationRequest.read(call.body)
                let account = try call.writtenAccount(request.account)
                return Self.answer(
                    try await billing.reserve(request, account: account, actor: call.actor), account, status: 201)
            },
            OwnRoute("GET", item, .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return Self.answer(try await billing.reservation(call.captures[0], account: account), account)
            },
            OwnRoute("POST", item + "/commit", .write) { call throws(Refusal) in
                let request = try CommitRequest.read(call.body)
                let account = try call.writtenAccount()
                return Self.answer(
                    try await billing.commit(call.captures[0], request, account: account, actor: call.actor), account)
            },
            OwnRoute("POST", item + "/increment", .write) { call throws(Refusal) in
                let request = try IncrementRequest.read(call.body)
                let account = try call.writtenAccount()
                let answer = try await billing.increment(
                    call.captures[0], request, account: account, actor: call.actor)
                // What was settled stays; the hold that is missing is refused.
                if let refusal = answer.refusal { throw Self.refusal(refusal, answer) }
                return Self.answer(answer, account)
            },
            OwnRoute("POST", item + "/release", .write) { call throws(Refusal) in
                try call.takesNoBody()
                let account = try call.writtenAccount()
                return Self.answer(
                    try await billing.release(call.captures[0], account: account, actor: call.actor), account)
            },
        ]
    }

    private static func answer(_ reservation: ReservationAnswer, _ account: String, status: Int = 200) -> OwnAnswer {
        var answer = OwnAnswer.object(reservation.json, status: status)
        answer.tell(plan: reservation.plan, remainingMicroCredits: reservation.remainingMicroCredits)
        answer.note(account: account, resource: reservation.reservation.id)
        return answer
    }

    /// Says with the refusal what was settled before it.
    private static func refusal(_ refusal: Refusal, _ answer: ReservationAnswer) -> Refusal {
        var refusal = refusal
        var details = refusal.details ?? JSONObject()
        details["reservation"] = answer.json
        refusal.details = details
        return refusal
    }
}
