// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials
internal import HTTPTypes
internal import Pipeline

/// Sessions: made of a token, looked at, ended.
package struct SessionRoutes: OwnAPIModule {
    private let sessions: SessionKeeper

    package init(sessions: SessionKeeper) { self.sessions = sessions }

    package var routes: [OwnRoute] {
        [
            OwnRoute("POST", "/v1/auth/session", .write) { call throws(Refusal) in try await begin(call) },
            OwnRoute("GET", "/v1/auth/session", .read) { call throws(Refusal) in try await show(call) },
            OwnRoute("POST", "/v1/auth/logout", .write) { call throws(Refusal) in try await signOut(call) },
            OwnRoute("POST", "/v1/auth/browser/logout", .write) { call throws(Refusal) in try await signOut(call) },
            OwnRoute("GET", "/v1/auth/sessions", .read) { call throws(Refusal) in
                let named = try await named(call)
                let sessions =
                    if let named { [named] } else { try await sessions.sessions(of: call.caller.principal) }
                return .json(["sessions": .array(sessions.map { .object(Self.line($0, call.caller)) })])
            },
            OwnRoute("DELETE", "/v1/auth/sessions/{handle}", .write) { call throws(Refusal) in
                try await end(try await session(call.captures[0], call), call, with: .noContent)
            },
        ]
    }

    /// What pages want to know of what their user may do.
    private static let permissions = ["admin:access", "monitor:read", "monitor:write"]

    /// The session of the cookie, with what its pages need, or the one that the query names.
    private func show(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let named = try await named(call)
        guard let session = named ?? call.caller.session else {
            throw Refusal(.authSessionNotFound, message: "The credential of this request is no session")
        }
        // What proves that a page belongs to a session is for its own pages.
        let isOwn = session.handle == call.caller.session?.handle
        return .json(isOwn ? Self.json(session, call.caller) : Self.line(session, call.caller))
    }

    /// The session that the query names; nil when it names none.
    private func named(_ call: OwnCall) async throws(Refusal) -> SessionRecord? {
        guard let name = try call.query.object(known: ["session_id"])["session_id"]?.stringValue else { return nil }
        return try await session(name, call)
    }

    private func session(_ name: String, _ call: OwnCall) async throws(Refusal) -> SessionRecord {
        let caller = call.caller
        let found = try await sessions.session(named: name, of: caller.principal, admin: caller.admin)
        guard let found else { throw Refusal(.authSessionNotFound) }
        return found
    }

    private func begin(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try BodyReader.checkMembers(of: call.body, known: [])
        let headers = call.exchange.headers
        let found = CredentialExtractor.extract(
            headers: headers, query: nil, isWebSocketUpgrade: false, prefixes: TokenPrefixes())
        guard case .found(let credential) = found, credential.source == .authorization else {
            throw Refusal(
                .authMissingToken, message: "A session is made of the token in Authorization: Bearer, of nothing else")
        }
        // Whoever signs in again leaves the session behind that the browser forgets now.
        if let cookie = SessionCookie.value(in: headers), let old = try await sessions.session(cookie: cookie) {
            try await sessions.end(old)
        }
        let session = try await sessions.begin(
            call.caller.principal, credential: credential.text,
            device: SessionRecord.Device(
                address: call.exchange.client.description,
                userAgent: headers.first("user-agent").map { String($0.prefix(256)) }))
        var answer = OwnAnswer.json(Self.json(session, call.caller))
        answer.fields[.setCookie] = SessionCookie.setting(session.id.revealed)
        answer.secretMembers = ["csrf_token"]
        answer.auditResource = session.handle
        answer.auditMetadata = ["expires_at": .string(session.expiresAt.rfc3339)]
        return answer
    }

    /// Ends the session of the cookie, or the one that the body names.
    private func signOut(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        try BodyReader.checkMembers(of: call.body, known: ["session_id"])
        var reader = FieldReader()
        let name = reader.text(call.body, "session_id")
        try reader.finish()
        var session = call.caller.session
        if let name {
            session = try await sessions.session(named: name, of: call.caller.principal, admin: call.caller.admin)
            if session == nil { throw Refusal(.authSessionNotFound) }
        }
        guard let session else {
            // A browser forgets a cookie that names no session.
            var answer = OwnAnswer.json(["success": true, "message": "There was no session to end"])
            answer.fields[.setCookie] = SessionCookie.clearing
            return answer
        }
        return try await end(session, call, with: .json(["success": true, "message": "The session has ended"]))
    }

    private func end(
        _ session: SessionRecord, _ call: OwnCall, with answer: OwnAnswer
    ) async throws(Refusal) -> OwnAnswer {
        try await sessions.end(session)
        var answer = answer
        if session.handle == call.caller.session?.handle { answer.fields[.setCookie] = SessionCookie.clearing }
        answer.auditAction = "session.end"
        answer.auditResource = session.handle
        return answer
    }

    private static func json(_ session: SessionRecord, _ caller: OwnCaller) -> JSONObject {
        var json = session.json
        json["csrf_token"] = .string(session.proof)
        json["admin"] = .bool(caller.admin)
        json["platform"] = .bool(caller.admin || caller.principal.platform)
        json["permissions"] = .strings(permissions.filter { caller.holds($0) })
        return json
    }

    private static func line(_ session: SessionRecord, _ caller: OwnCaller) -> JSONObject {
        var json = session.json
        json["current"] = .bool(session.handle == caller.session?.handle)
        return json
    }
}
