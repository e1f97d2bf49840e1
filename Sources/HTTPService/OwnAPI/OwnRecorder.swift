// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Pipeline

/// What is known of an own-API request when its entry is written.
struct OwnRecord: Sendable {
    let exchange: Exchange
    var principal = Principal.anonymous
    var action = "http.unknown_route"
    var route: String?
    var path: String?
    /// What was acted on, when the path alone does not say it.
    var resource: String?
    var code: String?
    /// The handle of the session that the request came with.
    var session: String?
    var metadata = JSONObject()

    init(_ exchange: Exchange) { self.exchange = exchange }

    /// Takes over what admission found out.
    mutating func admit(_ caller: OwnCaller) {
        principal = caller.principal
        action = caller.action
        route = caller.route
        path = caller.canonicalPath
        session = caller.session?.handle
    }
}

/// Writes the audit entries of the own API.
struct OwnRecorder: Sendable {
    let audit: any AuditRecording
    let clock: any WallClock

    /// Records an answer.
    ///
    /// - Throws: `audit.unavailable`.
    func record(_ record: OwnRecord, status: Int, durable: Bool) async throws(Refusal) {
        let draft = draft(record, status: status)
        if durable {
            try await audit.record(draft)
        } else if !audit.acceptNow(draft) {
            try await audit.accept(draft)
        }
    }

    private func draft(_ record: OwnRecord, status: Int) -> AuditDraft {
        let exchange = record.exchange
        let milliseconds = max(0, clock.now().microseconds - exchange.receivedAt.microseconds) / 1000
        var metadata: JSONObject = [
            "method": .string(exchange.method), "route": .optional(record.route), "status": .int(Int64(status)),
            "duration_ms": .int(milliseconds),
        ]
        if let code = record.code { metadata["code"] = .string(code) }
        if let tokenID = record.principal.tokenID { metadata["token_id"] = .string(tokenID) }
        metadata["auth_source"] = .string(record.principal.authSource.rawValue)
        if let agent = exchange.headers.first("user-agent") {
            metadata["user_agent"] = .string(String(agent.prefix(256)))
        }
        for member in record.metadata.members { metadata[member.name] = member.value }
        return AuditDraft(
            actor: record.principal.subject, action: record.action,
            resource: record.resource ?? record.path ?? exchange.rawPath, outcome: .init(status: status),
            metadata: metadata, ip: exchange.client.description,
            sessionID: record.session ?? record.principal.sessionID,
            tenant: record.principal.tenantID, requestID: exchange.requestID)
    }
}
