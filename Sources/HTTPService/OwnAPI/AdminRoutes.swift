// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Pipeline
internal import RuntimeState

/// Who am I, what is blocked, what is configured, what was recorded, and the instruments.
struct AdminRoutes: Sendable {
    let dependencies: HTTPDependencies

    var routes: [OwnRoute] { identity + audit + operations }

    private var identity: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/auth/me", .read) { call throws(Refusal) in
                .json(call.caller.principal.json(includingClaims: true, admin: call.caller.admin))
            },
            OwnRoute("GET", "/v1/admin/auth-blocks", .read) { _ throws(Refusal) in
                .json(["blocks": .array(dependencies.authBlocks.blocks().map(JSONValue.object))])
            },
            OwnRoute("DELETE", "/v1/admin/auth-blocks", .write) { call throws(Refusal) in
                let query = try call.query.object(known: ["key"])
                guard let key = query["key"]?.stringValue, !key.isEmpty else {
                    var reader = FieldReader()
                    reader.fault("key", "required")
                    try reader.finish()
                    return .noContent
                }
                guard dependencies.authBlocks.clear(key) else { throw Refusal(.authBlockNotFound) }
                return .noContent
            },
        ]
    }

    private var audit: [OwnRoute] {
        let get: @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer = { call throws(Refusal) in
            try await query(try AuditQuery.parse(queryItems: call.query.items), call)
        }
        return [
            OwnRoute("GET", "/v1/audit/events", .read, handle: get),
            OwnRoute("GET", "/v1/audit", .read, handle: get),
            OwnRoute("POST", "/v1/audit/query", .read) { call throws(Refusal) in
                try await query(try AuditQuery.parse(json: .object(call.body)), call)
            },
        ]
    }

    private func query(_ query: AuditQuery, _ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let reader = AuditReader(call.caller)
        var answer = OwnAnswer()
        answer.text = (try await dependencies.auditTrail.query(query, as: reader).body, "application/json")
        answer.auditMetadata["filters"] = .object(query.metadata)
        return answer
    }

    private var operations: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/resources", .read) { call throws(Refusal) in
                let query = try call.query.object(known: ["kind", "namespace"])
                let found = dependencies.resources.resources(
                    kind: query["kind"]?.stringValue, namespace: query["namespace"]?.stringValue)
                return .json([
                    "items": .array(found.items.map { .object($0.json) }),
                    "snapshot": .int(Int64(clamping: found.snapshot)),
                ])
            },
            OwnRoute("GET", "/metrics", .read) { _ throws(Refusal) in
                OwnAnswer(text: (dependencies.metrics.text(), HealthDoor.metricsType))
            },
        ]
    }
}
