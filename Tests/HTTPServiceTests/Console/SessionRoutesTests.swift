// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import TestSupport
internal import Testing

/// The endpoints of sessions, over fakes.
@Suite struct SessionRoutesTests {
    private struct World {
        let keeper: SessionKeeper
        let clock = ManualClock()

        init() throws {
            let random = SeededRandom(seed: 3)
            keeper = SessionKeeper(
                store: SessionStore(
                    backend: MemorySessionBackend(), seal: try #require(SessionSeal(keys: [random.bytes(32)])),
                    clock: clock, time: ManualMonotonicClock(), random: random), clock: clock, random: random)
        }

        /// Callers with a session where one is given.
        func gate(_ session: SessionRecord? = nil, holding: Set<String>? = nil, admin: Bool = false) -> Gate {
            let decider = FakeDecider(admit: { request in
                guard case .allowed(var caller) = FakeDecider.admitted(request, holding: holding) else {
                    return FakeDecider.admitted(request)
                }
                caller.session = session
                caller.admin = admin
                return .allowed(caller)
            })
            return Gate(decider: decider, modules: [SessionRoutes(sessions: keeper)])
        }

        func begin(_ subject: String? = nil) async throws -> SessionRecord {
            let principal =
                subject.map { Principal(subject: $0, identityType: .service, authSource: .serviceToken) }
                ?? FakeDecider.principal
            return try await keeper.begin(principal, credential: Redacted("hush"), device: .init())
        }
    }

    private static let bearer = [("Authorization", "Bearer tgs_some_token"), ("User-Agent", "Browser/1")]

    @Test func makesOneOfABearerToken() async throws {
        let world = try World()
        let gate = world.gate(holding: ["monitor:read"])
        let reply = try await gate.send(.post, "/v1/auth/session", Self.bearer)
        #expect(reply.status == 200)
        #expect(reply["Cache-Control"] == "no-store")
        let cookie = try #require(reply["Set-Cookie"])
        let id = try #require(cookie.split(separator: "=", maxSplits: 1).last?.split(separator: ";").first).description
        #expect(cookie == "__Host-tollgate-session=\(id); Path=/; Secure; HttpOnly; SameSite=Lax")
        let session = try #require(try await world.keeper.session(cookie: id))
        #expect(session.tokens?.access.revealed == "tgs_some_token")
        #expect(session.device.userAgent == "Browser/1")
        #expect(reply.json["csrf_token"] == .string(session.proof))
        #expect(reply.json["handle"] == .string(session.handle))
        #expect(reply.json["user_id"] == "ci")
        #expect(reply.json["permissions"] == ["monitor:read"])
        #expect(reply.json["platform"] == false)
        #expect(!reply.text.contains(id) && !reply.text.contains("tgs_some_token"))
        let entry = try #require(gate.audit.durable.first)
        #expect(entry.resource == session.handle)
    }

    static let refused: [[(String, String)]] = [
        [], [("X-API-Key", "tgs_some_token")], [("X-API-Key", "tgs_a"), ("Authorization", "Bearer tgs_b")],
        [("Authorization", "Bearer")], [("Cookie", "__Host-tollgate-session=\(String(repeating: "A", count: 43))")],
    ]

    @Test(arguments: refused.indices) func makesNoneOfAnythingElse(_ index: Int) async throws {
        let reply = try await World().gate().send(.post, "/v1/auth/session", Self.refused[index])
        #expect(reply.status == 401)
        #expect(reply.code == "auth.missing_token")
        #expect(reply.message == "A session is made of the token in Authorization: Bearer, of nothing else")
        #expect(reply["Set-Cookie"] == nil)
    }

    @Test func takesNoMembers() async throws {
        let reply = try await World().gate().send(.post, "/v1/auth/session", Self.bearer, body: #"{"ttl":5}"#)
        #expect(reply.status == 400)
        #expect(reply.code == "request.malformed")
    }

    @Test func signingInAgainEndsTheOldOne() async throws {
        let world = try World()
        let old = try await world.begin()
        let cookie = ("Cookie", "__Host-tollgate-session=\(old.id.revealed)")
        let reply = try await world.gate().send(.post, "/v1/auth/session", Self.bearer + [cookie])
        #expect(reply.status == 200)
        #expect(reply["Set-Cookie"]?.contains(old.id.revealed) == false)
        #expect(try await world.keeper.session(cookie: old.id.revealed) == nil)
    }

    @Test func showsTheSessionOfTheCookie() async throws {
        let world = try World()
        let session = try await world.begin()
        let reply = try await world.gate(session).send(.get, "/v1/auth/session")
        #expect(reply.status == 200)
        #expect(reply.json["csrf_token"] == .string(session.proof))
        #expect(!reply.text.contains(session.id.revealed) && !reply.text.contains("hush"))
        let none = try await world.gate().send(.get, "/v1/auth/session", Self.bearer)
        #expect(none.status == 404)
        #expect(none.code == "auth.session_not_found")
        #expect(none.message == "The credential of this request is no session")
    }

    static let logouts = ["/v1/auth/logout", "/v1/auth/browser/logout"]

    @Test(arguments: logouts) func signsOut(_ path: String) async throws {
        let world = try World()
        let session = try await world.begin()
        let gate = world.gate(session)
        let reply = try await gate.send(.post, path)
        #expect(reply.status == 200)
        #expect(reply.json == ["success": true, "message": "The session has ended"])
        #expect(reply["Set-Cookie"] == SessionCookie.clearing)
        #expect(try await world.keeper.session(cookie: session.id.revealed) == nil)
        let entry = try #require(gate.audit.durable.first)
        #expect(entry.action == "session.end")
        #expect(entry.resource == session.handle)
        #expect(entry.sessionID == session.handle)
        // Whoever has no session has nothing to end.
        let none = try await world.gate().send(.post, path, Self.bearer)
        #expect(none.status == 200)
        #expect(none.json == ["success": true, "message": "There was no session to end"])
    }

    @Test(arguments: logouts) func signsOutElsewhere(_ path: String) async throws {
        let world = try World()
        let here = try await world.begin()
        let gate = world.gate(here)
        for name in [try await world.begin().handle, try await world.begin().id.revealed] {
            let reply = try await gate.send(.post, path, body: #"{"session_id":"\#(name)"}"#)
            #expect(reply.status == 200 && reply["Set-Cookie"] == nil)
            let gone = try await gate.send(.post, path, body: #"{"session_id":"\#(name)"}"#)
            #expect(gone.status == 404 && gone.code == "auth.session_not_found" && gone.message == "No such session")
        }
        #expect(!gate.audit.durable.contains { "\($0)".contains(here.id.revealed) })
        let own = try await gate.send(.post, path, body: #"{"session_id":"\#(here.handle)"}"#)
        #expect(own.status == 200 && own["Set-Cookie"] == SessionCookie.clearing)
    }

    /// Whose session it is decides, and an admin may end any of which the id is known.
    @Test func endsNobodyElsesButForAnAdmin() async throws {
        let world = try World()
        let other = try await world.begin("somebody-else")
        let body = #"{"session_id":"\#(other.id.revealed)"}"#
        for name in [other.handle, other.id.revealed] {
            let refused = try await world.gate().send(
                .post, "/v1/auth/logout", Self.bearer, body: #"{"session_id":"\#(name)"}"#)
            #expect(refused.status == 404 && refused.code == "auth.session_not_found")
        }
        #expect(try await world.keeper.session(cookie: other.id.revealed) != nil)
        let admin = try await world.gate(admin: true).send(.post, "/v1/auth/logout", Self.bearer, body: body)
        #expect(admin.status == 200 && admin["Set-Cookie"] == nil)
        #expect(try await world.keeper.session(cookie: other.id.revealed) == nil)
    }

    @Test func signsOutOfNothingThatItCannotRead() async throws {
        let world = try World()
        let session = try await world.begin()
        let gate = world.gate(session)
        let unknown = try await gate.send(.post, "/v1/auth/logout", body: #"{"session":"x"}"#)
        #expect(unknown.status == 400 && unknown.code == "request.malformed")
        let wrong = try await gate.send(.post, "/v1/auth/logout", body: #"{"session_id":7}"#)
        #expect(wrong.status == 422 && wrong.code == "request.invalid" && wrong.message == "session_id: not a text")
        #expect(try await world.keeper.session(cookie: session.id.revealed) != nil)
    }

    @Test func showsTheSessionThatIsNamed() async throws {
        let world = try World()
        let (here, there) = (try await world.begin(), try await world.begin())
        let other = try await world.begin("somebody-else")
        let gate = world.gate(here)
        let own = try await gate.send(.get, "/v1/auth/session?session_id=\(there.handle)")
        #expect(own.status == 200 && own.json["handle"] == .string(there.handle) && own.json["csrf_token"] == nil)
        let list = try await gate.send(.get, "/v1/auth/sessions?session_id=\(there.handle)")
        #expect(list.json["sessions"]?.arrayValue?.compactMap { $0["handle"]?.stringValue } == [there.handle])
        let current = try await gate.send(.get, "/v1/auth/session?session_id=\(here.handle)")
        #expect(current.json["csrf_token"] == .string(here.proof))
        for path in ["session", "sessions"] {
            for name in [other.id.revealed, other.handle] {
                let target = "/v1/auth/\(path)?session_id=\(name)"
                let refused = try await gate.send(.get, target)
                #expect(refused.status == 404 && refused.code == "auth.session_not_found")
                let seen = try await world.gate(admin: true).send(.get, target, Self.bearer)
                #expect(seen.status == 200 && seen.text.contains(other.handle) && !seen.text.contains(other.proof))
            }
            let unknown = try await gate.send(.get, "/v1/auth/\(path)?id=x")
            #expect(unknown.status == 400 && unknown.code == "request.malformed")
        }
        let target = "/v1/auth/sessions/\(other.handle)"
        #expect(try await gate.send(.delete, target).code == "auth.session_not_found")
        #expect(try await world.gate(admin: true).send(.delete, target, Self.bearer).status == 204)
        #expect(try await world.keeper.session(cookie: other.id.revealed) == nil)
    }

    @Test func listsAndEndsTheCallersOwn() async throws {
        let world = try World()
        let one = try await world.begin()
        let two = try await world.begin()
        let gate = world.gate(one)
        let list = try await gate.send(.get, "/v1/auth/sessions")
        let handles = list.json["sessions"]?.arrayValue?.compactMap { $0["handle"]?.stringValue } ?? []
        #expect(Set(handles) == [one.handle, two.handle])
        let current = list.json["sessions"]?.arrayValue?.first { $0["current"] == true }
        #expect(current?["handle"] == .string(one.handle))
        #expect(!list.text.contains(one.proof))
        let ended = try await gate.send(.delete, "/v1/auth/sessions/\(two.handle)")
        #expect(ended.status == 204)
        #expect(ended["Set-Cookie"] == nil)
        #expect(try await world.keeper.session(cookie: two.id.revealed) == nil)
        let missing = try await gate.send(.delete, "/v1/auth/sessions/\(two.handle)")
        #expect(missing.status == 404)
        #expect(missing.code == "auth.session_not_found")
        #expect(missing.message == "No such session")
        let own = try await gate.send(.delete, "/v1/auth/sessions/\(one.handle)")
        #expect(own["Set-Cookie"] == SessionCookie.clearing)
    }

    /// The browser forgets a cookie that is over.
    @Test func clearsACookieThatIsOver() async throws {
        let decider = FakeDecider(admit: { _ in
            .refused(
                Refusal(.authSessionExpired), principal: .anonymous, action: "sessions.read", route: nil,
                canonicalPath: "/v1/auth/session")
        })
        let reply = try await Gate(decider: decider).send(.get, "/v1/auth/session")
        #expect(reply.status == 401)
        #expect(reply.code == "auth.session_expired")
        #expect(reply.message == "Session has expired")
        #expect(reply["Set-Cookie"] == SessionCookie.clearing)
    }
}
