// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// Where an account is told what happens to it.
struct WebhookEndpointRoutes: Sendable {
    let services: BillingServices

    private static let base = "/v1/billing/webhook-endpoints"
    private static let members: Set<String> = ["url", "types", "description", "enabled"]

    var routes: [OwnRoute] {
        let endpoints = services.endpoints
        let item = Self.base + "/{id}"
        return [
            OwnRoute("GET", Self.base, .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                let list = try await endpoints.list(account)
                return .json(["endpoints": .array(list.map(\.shown))])
            },
            OwnRoute("POST", Self.base, .write) { call throws(Refusal) in
                try BodyReader.checkMembers(of: call.body, known: Self.members)
                let account = try call.writtenAccount()
                let made = try await endpoints.create(.object(call.body), for: account)
                return Self.secret(made, account, status: 201)
            },
            OwnRoute("GET", item, .read) { call throws(Refusal) in
                let (_, account) = try call.billingQuery()
                return .object(try await endpoints.endpoint(call.captures[0], of: account).shown)
            },
            OwnRoute("PUT", item, .write) { call throws(Refusal) in
                try BodyReader.checkMembers(of: call.body, known: Self.members)
                let account = try call.writtenAccount()
                let before = try await endpoints.endpoint(call.captures[0], of: account).shown
                let after = try await endpoints.update(call.captures[0], .object(call.body), of: account).shown
                var answer = OwnAnswer.object(after)
                answer.note(account: account, resource: call.captures[0], before: before, after: after)
                return answer
            },
            OwnRoute("DELETE", item, .write) { call throws(Refusal) in
                try call.takesNoBody()
                let account = try call.writtenAccount()
                let before = try await endpoints.endpoint(call.captures[0], of: account).shown
                try await endpoints.delete(call.captures[0], of: account)
                var answer = OwnAnswer.noContent
                answer.note(account: account, resource: call.captures[0], before: before)
                return answer
            },
            OwnRoute("POST", item + "/rotate-secret", .write) { call throws(Refusal) in
                try call.takesNoBody()
                let account = try call.writtenAccount()
                return Self.secret(try await endpoints.rotate(call.captures[0], of: account), account)
            },
            OwnRoute("GET", item + "/deliveries", .read) { call throws(Refusal) in try await deliveries(call) },
            OwnRoute("POST", item + "/deliveries/{delivery}/resend", .write) { call throws(Refusal) in
                try await resend(call)
            },
        ]
    }

    /// With the secret, once.
    private static func secret(_ endpoint: WebhookEndpoint, _ account: String, status: Int = 200) -> OwnAnswer {
        var answer = OwnAnswer.object(endpoint.shownOnce, status: status)
        answer.secretMembers = ["secret"]
        answer.note(account: account, resource: endpoint.id, after: endpoint.shown)
        return answer
    }

    /// The newest first; a cursor is the id of the last one.
    private func deliveries(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (query, account) = try call.billingQuery("limit", "cursor")
        let page = try PageQuery.read(query)
        let id = call.captures[0]
        // The endpoint itself first, so that only then a cursor can be at fault.
        _ = try await services.endpoints.endpoint(id, of: account)
        if let cursor = page.cursor {
            let last = try await services.rows(account) { try $0.delivery(id: cursor) }
            if last?.endpoint != id { try OwnCall.refuse("cursor", "not a cursor of this list") }
        }
        let rows = try await services.endpoints.deliveries(
            of: id, account: account, before: page.cursor, limit: page.limit)
        return .json([
            "deliveries": .array(rows.map(\.shown)),
            "next_cursor": .optional(rows.count == page.limit ? rows.last?.id : nil),
        ])
    }

    private func resend(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try call.takesNoBody()
        let account = try call.writtenAccount()
        let (endpoint, id) = (call.captures[0], call.captures[1])
        let row = try await services.rows(account) { try $0.delivery(id: id) }
        guard row?.endpoint == endpoint else { throw Refusal(.billingNotFound) }
        var answer = OwnAnswer.object(try await services.endpoints.resend(id, of: account).shown)
        answer.note(account: account, resource: endpoint)
        answer.auditMetadata["delivery"] = .string(id)
        return answer
    }
}
