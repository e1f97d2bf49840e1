// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials

/// The service-token endpoints, under their own path and its alias.
struct ServiceTokenRoutes: Sendable {
    let tokens: any ServiceTokenService
    let auditTrail: any AuditQuerying

    var routes: [OwnRoute] { ["/v1/service-tokens", "/api/admin/service-tokens"].flatMap { self.routes(under: $0) } }

    private func routes(under base: String) -> [OwnRoute] {
        [
            OwnRoute("POST", base, .write) { call throws(Refusal) in
                minted(try await tokens.create(call.body, caller: call.caller), status: 201)
            },
            OwnRoute("GET", base, .read) { call throws(Refusal) in
                let query = try call.query.object(known: ["status", "limit", "cursor"])
                return .json(try await tokens.list(query, caller: call.caller))
            },
            OwnRoute("GET", base + "/{id}", .read) { call throws(Refusal) in
                .json(try await tokens.show(call.captures[0], caller: call.caller))
            },
            OwnRoute("POST", base + "/{id}/rotate", .write) { call throws(Refusal) in
                minted(
                    try await tokens.rotate(call.captures[0], call.body, caller: call.caller), status: 200,
                    resource: call.captures[0])
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
            OwnRoute("GET", base + "/{id}/events", .read) { call throws(Refusal) in
                _ = try await tokens.show(call.captures[0], caller: call.caller)
                return try await events(call)
            },
        ]
    }

    /// What was recorded of a token that the caller may see, newest first.
    private func events(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let items = try call.query.object(known: ["limit", "cursor"])
        var reader = FieldReader()
        var query = AuditQuery()
        query.resource = call.captures[0]
        query.cursor = items["cursor"]?.stringValue
        query.limit = 50
        if let text = items["limit"]?.stringValue {
            query.limit = Int(text) ?? 0
            if !(1...200).contains(query.limit) { reader.fault("limit", "not a number from 1 to 200") }
        }
        try reader.finish()
        let page = try await auditTrail.query(query, as: .platform)
        var json = JSONWriter(reserving: 1024)
        json.raw(#"{"events":["#)
        // Something else may have the same name.
        let rows = page.rows.filter { $0.action.utf8.starts(with: "service_token.".utf8) }
        for (index, row) in rows.enumerated() {
            if index > 0 { json.raw(",") }
            json.raw(row.line)
        }
        json.raw(#"],"next_cursor":"#)
        json.string(page.nextCursor)
        json.raw("}")
        var answer = OwnAnswer()
        answer.text = (json.bytes, "application/json")
        return answer
    }

    private func revoke(_ call: OwnCall, _ body: JSONObject) async throws(Refusal) -> OwnAnswer {
        let change = try await tokens.revoke(call.captures[0], body, caller: call.caller)
        var answer = OwnAnswer.noContent
        answer.record(change, resource: call.captures[0])
        return answer
    }

    private func minted(_ change: TokenChange, status: Int, resource: String? = nil) -> OwnAnswer {
        var answer = OwnAnswer.json(change.json, status: status)
        answer.secretMembers = ["secret"]
        answer.record(change, resource: resource ?? change.json["identifier"]?.stringValue)
        if resource != nil { answer.auditMetadata["rotated_to"] = change.json["identifier"] }
        return answer
    }
}

extension OwnAnswer {
    /// Notes for the audit what was changed.
    fileprivate mutating func record(_ change: TokenChange, resource: String?) {
        auditResource = resource
        if let before = change.before { auditMetadata["before"] = .object(before) }
        if let after = change.after { auditMetadata["after"] = .object(after) }
    }
}
