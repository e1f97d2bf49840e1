// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Credits that a platform admin gives and takes: with a reason, and recorded with what was before and after.
struct GrantRoutes: Sendable {
    let services: BillingServices

    private static let base = "/v1/billing/grants"

    var routes: [OwnRoute] {
        let billing = services.billing
        return [
            OwnRoute("POST", Self.base, .write) { call throws(Refusal) in
                try call.requirePlatformAdmin()
                let request = try GrantRequest.read(call.body)
                let account = try call.writtenAccount(request.account)
                let before = try await billing.view(account).credits
                let grant = try await billing.grant(GrantOrder(request), account: account, actor: call.actor)
                var answer = OwnAnswer.object(grant.json, status: 201)
                answer.note(account: account, resource: grant.grant.id)
                await note(request.reason, before, account, in: &answer)
                return answer
            },
            OwnRoute("POST", Self.base + "/{id}/void", .write) { call throws(Refusal) in
                try call.requirePlatformAdmin()
                let request = try VoidRequest.read(call.body)
                let account = try call.writtenAccount(request.account)
                let before = try await billing.view(account).credits
                let grant = try await billing.void(grant: call.captures[0], account: account, actor: call.actor)
                var answer = OwnAnswer.object(grant.json)
                answer.note(account: account, resource: grant.grant.id)
                await note(request.reason, before, account, in: &answer)
                return answer
            },
        ]
    }

    private func note(
        _ reason: String, _ before: JSONValue, _ account: String, in answer: inout OwnAnswer
    ) async {
        answer.auditMetadata["reason"] = .string(reason)
        answer.auditMetadata["before"] = before
        // It is done: what cannot be read now is left out, and the grant itself stands in the entry.
        let after = try? await services.billing.view(account).credits
        answer.auditMetadata["after"] = after ?? .null
        answer.auditMetadata["grant"] = answer.json.map(JSONValue.object)
    }
}
