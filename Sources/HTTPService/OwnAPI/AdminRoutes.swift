// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

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

    private static let filters: Set<String> = [
        "actor", "action", "resource", "outcome", "tenant", "from", "to", "session_id", "ip", "q", "limit", "cursor",
        "order",
    ]

    private var audit: [OwnRoute] {
        let get: @Sendable (OwnCall) async throws(Refusal) -> OwnAnswer = { call throws(Refusal) in
            let filters = try call.query.object(known: Self.filters)
            return try await query(filters, fromQuery: true, call)
        }
        return [
            OwnRoute("GET", "/v1/audit/events", .read, handle: get),
            OwnRoute("GET", "/v1/audit", .read, handle: get),
            OwnRoute("POST", "/v1/audit/query", .read) { call throws(Refusal) in
                try BodyReader.checkMembers(of: call.body, known: Self.filters)
                return try await query(call.body, fromQuery: false, call)
            },
        ]
    }

    private func query(
        _ filters: JSONObject, fromQuery: Bool, _ call: OwnCall
    ) async throws(Refusal) -> OwnAnswer {
        var answer = OwnAnswer.json(
            try await dependencies.auditTrail.query(filters, fromQuery: fromQuery, caller: call.caller))
        var recorded = filters
        recorded["cursor"] = nil
        answer.auditMetadata["filters"] = .object(recorded)
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
