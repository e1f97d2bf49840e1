// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The API-key endpoints, under their own path and its aliases.
package struct APIKeyRoutes: OwnAPIModule {
    private let keys: any APIKeyService
    private let auditTrail: any AuditQuerying

    /// Serves these keys, and what the trail has of them.
    package init(keys: any APIKeyService, auditTrail: any AuditQuerying) {
        self.keys = keys
        self.auditTrail = auditTrail
    }

    package var routes: [OwnRoute] {
        // What is named comes before the pattern that would take the name for an id.
        let events = APIKeyEvents(keys: keys, auditTrail: auditTrail)
        let alias = [
            OwnRoute("POST", "/api-keys/create", .write) { call throws(Refusal) in try await create(call) },
            OwnRoute("GET", "/api-keys/audit-logs", .read) { call throws(Refusal) in
                try await events.all(call, acceptsOffset: true)
            },
            OwnRoute("GET", "/api-keys/{id}/audit-logs", .read) { call throws(Refusal) in
                try await events.ofKey(call, acceptsOffset: true)
            },
        ]
        var routes = alias
        for base in ["/v1/api-keys", "/api-keys", "/v1/users/api-keys"] {
            routes.append(
                OwnRoute("GET", base + "/events", .read) { call throws(Refusal) in try await events.all(call) })
            routes.append(
                OwnRoute("GET", base + "/{id}/events", .read) { call throws(Refusal) in try await events.ofKey(call) })
            routes += reads(under: base)
            routes += writes(under: base)
        }
        return routes
    }

    private func reads(under base: String) -> [OwnRoute] {
        [
            OwnRoute("GET", base, .read) { call throws(Refusal) in
                let query = try call.query.object(known: ["status", "limit", "cursor", "account_id"])
                return .json(try await keys.list(query, caller: call.caller))
            },
            OwnRoute("GET", base + "/{id}", .read) { call throws(Refusal) in
                .json(try await keys.show(call.captures[0], caller: call.caller))
            },
            OwnRoute("GET", base + "/{id}/usage", .read) { call throws(Refusal) in
                let query = try call.query.object(known: ["from", "to", "bucket"])
                return .json(try await keys.usage(call.captures[0], query, caller: call.caller))
            },
        ]
    }

    private func writes(under base: String) -> [OwnRoute] {
        [
            OwnRoute("POST", base, .write) { call throws(Refusal) in try await create(call) },
            OwnRoute("PATCH", base + "/{id}", .write) { call throws(Refusal) in
                changed(try await keys.patch(call.captures[0], call.body, caller: call.caller), call.captures[0])
            },
            OwnRoute("POST", base + "/{id}/rotate", .write) { call throws(Refusal) in
                let id = call.captures[0]
                var answer = changed(try await keys.rotate(id, call.body, caller: call.caller), id)
                answer.auditMetadata["rotated_to"] = answer.json?["id"]
                return answer
            },
            OwnRoute("DELETE", base + "/{id}", .write) { call throws(Refusal) in
                let query = try call.query.object(known: ["reason"])
                var body = call.body
                if let reason = query["reason"], body["reason"] == nil { body["reason"] = reason }
                return try await revoke(call, body)
            },
            OwnRoute("POST", base + "/{id}/revoke", .write) { call throws(Refusal) in
                try await revoke(call, call.body)
            },
        ]
    }

    private func create(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let change = try await keys.create(call.body, caller: call.caller)
        return changed(change, change.json["id"]?.stringValue, status: 201)
    }

    private func revoke(_ call: OwnCall, _ body: JSONObject) async throws(Refusal) -> OwnAnswer {
        let change = try await keys.revoke(call.captures[0], body, caller: call.caller)
        var answer = changed(change, call.captures[0], status: 204)
        answer.json = nil
        return answer
    }

    private func changed(_ change: TokenChange, _ resource: String?, status: Int = 200) -> OwnAnswer {
        var answer = OwnAnswer.json(change.json, status: status)
        answer.secretMembers = ["key"]
        answer.auditResource = resource
        answer.auditMetadata["account_id"] = change.json["account_id"]
        if let before = change.before { answer.auditMetadata["before"] = .object(before) }
        if let after = change.after { answer.auditMetadata["after"] = .object(after) }
        return answer
    }
}
