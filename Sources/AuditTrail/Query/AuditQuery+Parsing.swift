// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension AuditQuery {
    private static let names: Set<String> = [
        "actor", "action", "resource", "outcome", "tenant", "from", "to", "session_id", "ip", "q", "limit", "cursor",
        "order",
    ]

    /// Reads the decoded query items of `GET /v1/audit/events`.
    ///
    /// - Throws: `request.malformed` for an unknown or doubled name, `audit.bad_filter` naming the field, `audit.bad_query`.
    package static func parse(queryItems: [(String, String)]) throws(Refusal) -> AuditQuery {
        var object = JSONObject()
        for (name, text) in queryItems {
            guard names.contains(name) else { throw unknown(name) }
            guard object[name] == nil else {
                throw Refusal(.requestMalformed, message: "The parameter \(name) was given twice")
            }
            guard name == "limit" else {
                object[name] = .string(text)
                continue
            }
            guard text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int64(text)
            else { throw badFilter("limit", "must be a number from 1 to 1000") }
            object[name] = .int(limit)
        }
        return try parse(json: .object(object))
    }

    /// Reads the body of `POST /v1/audit/query`.
    ///
    /// - Throws: `request.malformed` for anything but an object of known members, `audit.bad_filter` naming the field, `audit.bad_query`.
    package static func parse(json: JSONValue) throws(Refusal) -> AuditQuery {
        guard let object = json.objectValue else {
            throw Refusal(.requestMalformed, message: "The body must be a JSON object")
        }
        if let name = object.names.first(where: { !names.contains($0) }) { throw unknown(name) }
        var query = AuditQuery()
        if let q = object["q"], !q.isNull {
            guard let text = q.stringValue else { throw badFilter("q", "must be text") }
            query.q = try BooleanQuery(parsing: text)
        }
        query.actor = try text("actor", in: object)
        query.action = try text("action", in: object)
        query.resource = try text("resource", in: object)
        query.tenant = try text("tenant", in: object)
        query.sessionID = try text("session_id", in: object)
        query.ip = try text("ip", in: object).map { IPAddress($0)?.description ?? $0 }
        query.cursor = try text("cursor", in: object)
        query.from = try time("from", in: object)
        query.to = try time("to", in: object)
        if let from = query.from, let to = query.to, from >= to { throw badFilter("from", "must be before to") }
        if let outcome = try text("outcome", in: object) {
            guard let value = AuditDraft.Outcome(rawValue: outcome) else {
                throw badFilter("outcome", "must be success, denied or failure")
            }
            query.outcome = value
        }
        if let order = try text("order", in: object) {
            guard let value = Order(rawValue: order) else { throw badFilter("order", "must be asc or desc") }
            query.order = value
        }
        if let limit = object["limit"], !limit.isNull {
            guard let number = limit.intValue, (1...1000).contains(number) else {
                throw badFilter("limit", "must be a number from 1 to 1000")
            }
            query.limit = Int(number)
        }
        return query
    }

    private static func text(_ name: String, in object: JSONObject) throws(Refusal) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let text = value.stringValue else { throw badFilter(name, "must be text") }
        guard text.utf8.count <= 1024 else { throw badFilter(name, "is longer than 1024 bytes") }
        return text
    }

    private static func time(_ name: String, in object: JSONObject) throws(Refusal) -> Timestamp? {
        guard let text = try text(name, in: object) else { return nil }
        guard let instant = Timestamp(rfc3339: text) else { throw badFilter(name, "must be RFC 3339 with a zone") }
        return instant
    }

    private static func unknown(_ name: String) -> Refusal {
        Refusal(
            .requestMalformed, message: "Unknown member \(name.prefix(64))",
            details: ["field": .string(String(name.prefix(64)))])
    }

    private static func badFilter(_ field: String, _ reason: String) -> Refusal {
        Refusal(
            .auditBadFilter, message: "The filter \(field) \(reason)",
            details: ["field": .string(field), "reason": .string(reason)])
    }
}
