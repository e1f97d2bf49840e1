// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Places: taken and given back.
struct SlotRoutes: Sendable {
    let services: BillingServices

    private static let base = "/v1/billing/slots"

    var routes: [OwnRoute] {
        let billing = services.billing
        return [
            OwnRoute("POST", Self.base, .write) { call throws(Refusal) in
                let request = try SlotRequest.read(call.body)
                let account = try call.writtenAccount(request.account)
                let slot = try await billing.take(request, account: account, actor: call.actor)
                var answer = OwnAnswer.object(slot.json, status: slot.status)
                answer.note(account: account, resource: "\(request.kind.rawValue)/\(request.id)")
                await services.tellStanding(of: account, in: &answer)
                return answer
            },
            OwnRoute("DELETE", Self.base + "/{kind}/{id}", .write) { call throws(Refusal) in
                try call.takesNoBody()
                let account = try call.writtenAccount()
                guard let kind = SlotRow.Kind(rawValue: call.captures[0]) else { throw Refusal(.billingNotFound) }
                try await billing.release(kind, id: call.captures[1], account: account)
                var answer = OwnAnswer.noContent
                answer.note(account: account, resource: "\(kind.rawValue)/\(call.captures[1])")
                await services.tellStanding(of: account, in: &answer)
                return answer
            },
        ]
    }
}

extension BillingServices {
    /// Puts plan and remaining credits into the headers of a call that was charged. What was done is done: where the account cannot be read
    /// now, they are left out.
    func tellStanding(of account: String, in answer: inout OwnAnswer) async {
        guard let view = try? await billing.view(account) else { return }
        answer.tell(plan: view.standing.plan.name, remainingMicroCredits: view.spendableMicroCredits)
    }
}
