// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import Synchronization
internal import Testing

@Suite struct OwnAPITests {
    @Test(arguments: ["/v1/service-tokens", "/api/admin/service-tokens"])
    func createsDurably(_ path: String) async throws {
        let audit = FakeAudit()
        let gate = Gate(audit: audit, tokens: FakeTokens(audit: audit))
        let reply = try await gate.send(
            .post, path, [("User-Agent", "curl/8")], body: #"{"identifier":"ci"}"#)
        #expect(reply.status == 201)
        #expect(reply.json["secret"] == "tgs_made_secret")
        #expect(audit.order == ["check", "create", "record"])
        let entry = try #require(audit.durable.first)
        #expect(entry.actor == "ci")
        #expect(entry.action == "test.action")
        #expect(entry.resource == "ci")
        #expect(entry.outcome == .success)
        #expect(entry.ip == "192.0.2.10")
        #expect(entry.tenant == "acme")
        #expect(entry.requestID == reply["X-Request-Id"])
        #expect(entry.metadata["method"] == "POST")
        #expect(entry.metadata["status"] == 201)
        #expect(entry.metadata["route"] == .string("POST \(path)"))
        #expect(entry.metadata["token_id"] == "ci-1")
        #expect(entry.metadata["auth_source"] == "service_token")
        #expect(entry.metadata["user_agent"] == "curl/8")
        #expect(entry.metadata["duration_ms"] == 0)
    }

    @Test func recordsWhatAChangeReplaced() async throws {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/service-tokens/old/rotate")
        #expect(reply.status == 200)
        #expect(reply.json["secret"] == "tgs_next_secret")
        let entry = try #require(gate.audit.durable.first)
        #expect(entry.resource == "old")
        #expect(entry.metadata["before"] == ["identifier": "old"])
        #expect(entry.metadata["after"] == ["identifier": "old", "rotated_to": "next"])
        #expect(entry.metadata["rotated_to"] == "next")
    }

    @Test func changesNothingThatItCannotRecord() async throws {
        let tokens = FakeTokens()
        let gate = Gate(audit: FakeAudit(isWritable: false), tokens: tokens)
        let reply = try await gate.send(.post, "/v1/service-tokens", body: "{}")
        #expect(reply.status == 503)
        #expect(reply.code == "audit.unavailable")
        #expect(reply.message == "The audit trail cannot be written")
        #expect(tokens.made.isEmpty)
        #expect(try await gate.send(.get, "/v1/service-tokens").status == 503)
        #expect(try await gate.send(.get, "/health").status == 200)
    }

    @Test func revokesWithTheReasonFromBodyOrQuery() async throws {
        let gate = Gate()
        #expect(try await gate.send(.delete, "/v1/service-tokens/a", body: #"{"reason":"x"}"#).status == 204)
        #expect(try await gate.send(.delete, "/v1/service-tokens/b?reason=lost%20it").status == 204)
        #expect(try await gate.send(.post, "/v1/service-tokens/c/revoke", body: #"{"reason":"z"}"#).status == 204)
        #expect(gate.tokens.made == ["revoke a: x", "revoke b: lost it", "revoke c: z"])
        #expect(gate.audit.durable.map(\.resource) == ["a", "b", "c"])
    }

    @Test func passesTheQueryOnAndRefusesUnknownParameters() async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, "/v1/service-tokens?status=active,expired&limit=5")
        #expect(reply.json["query"] == ["status": "active,expired", "limit": "5"])
        let unknown = try await gate.send(.get, "/v1/service-tokens?sort=up")
        #expect(unknown.status == 400)
        #expect(unknown.code == "request.malformed")
        #expect(unknown.message == "Unknown parameter: sort")
        let twice = try await gate.send(.get, "/v1/service-tokens?limit=1&limit=2")
        #expect(twice.status == 422)
        #expect(twice.message == "limit: given twice")
    }

    @Test func showsEventsOfATokenThatExists() async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, "/v1/service-tokens/a/events?limit=3")
        #expect(reply.json == ["events": [], "next_cursor": "next"])
        #expect(gate.trail.queries.first?.resource == "a")
        #expect(gate.trail.queries.first?.limit == 3)
        let missing = try await gate.send(.get, "/v1/service-tokens/missing/events")
        #expect(missing.status == 404)
        #expect(missing.code == "token.not_found")
        #expect(missing.message == "Service token 'missing' not found")
        let limit = try await gate.send(.get, "/v1/service-tokens/a/events?limit=x")
        #expect(limit.status == 422)
        #expect(limit.message == "limit: not a number from 1 to 200")
    }

    @Test func repeatsAnAnswerUnderItsKeyWithoutTheSecret() async throws {
        let gate = Gate()
        let key = [("Idempotency-Key", "k-1")]
        let first = try await gate.send(.post, "/v1/service-tokens", key, body: #"{"identifier":"a"}"#)
        let second = try await gate.send(.post, "/v1/service-tokens", key, body: #"{"identifier":"a"}"#)
        #expect(first.json["secret"] == "tgs_made_secret")
        #expect(second.status == 201)
        #expect(second.json["secret"] == .null)
        #expect(second.json["identifier"] == "a")
        #expect(second["Idempotency-Replayed"] == "true")
        #expect(gate.tokens.made == ["create"])
        let other = try await gate.send(.post, "/v1/service-tokens", key, body: #"{"identifier":"b"}"#)
        #expect(other.status == 422)
        #expect(other.code == "request.idempotency_mismatch")
        let bad = try await gate.send(.post, "/v1/service-tokens", [("Idempotency-Key", "")], body: "{}")
        #expect(bad.status == 422)
        #expect(bad.message == "Idempotency-Key: not 1 to 256 bytes")
    }

    /// What is done is done: a refusal would have the caller do it again.
    @Test func answersAlthoughTheAnswerCannotBeKept() async throws {
        let gate = Gate()
        gate.keys.isAway.withLock { $0 = true }
        let reply = try await gate.send(
            .post, "/v1/service-tokens", [("Idempotency-Key", "k-1")], body: #"{"identifier":"a"}"#)
        #expect(reply.status == 201)
        #expect(reply.json["secret"] == "tgs_made_secret")
    }

    @Test func givesAKeyBackWhenTheCallWasRefused() async throws {
        let gate = Gate()
        let key = [("Idempotency-Key", "k-1")]
        for _ in 0..<2 {
            let reply = try await gate.send(.post, "/v1/service-tokens", key, body: #"{"identifier":"taken"}"#)
            #expect(reply.status == 409)
            #expect(reply.code == "token.already_exists")
        }
        #expect(gate.tokens.made == ["create", "create"])
        #expect(gate.audit.queued.last?.outcome == .failure)
    }

    @Test func refusesBodiesThatAreNoObjectOrTooLarge() async throws {
        let gate = Gate()
        let malformed = try await gate.send(.post, "/v1/service-tokens", body: "{")
        #expect(malformed.status == 400)
        #expect(malformed.code == "request.malformed")
        let large = try await gate.send(
            .post, "/v1/service-tokens", body: "{\"description\":\"" + String(repeating: "x", count: 65_536) + "\"}")
        #expect(large.status == 413)
        #expect(large.code == "request.too_large")
        #expect(gate.tokens.made.isEmpty)
    }

    @Test func knowsOnlyWhatItServes() async throws {
        let gate = Gate()
        let unknown = try await gate.send(.get, "/v1/agent/tasks")
        #expect(unknown.status == 404)
        #expect(unknown.code == "request.not_found")
        #expect(gate.decider.own.count == 1)
        let method = try await gate.send(.put, "/v1/service-tokens")
        #expect(method.status == 405)
        #expect(method.code == "request.method_not_allowed")
        #expect(method["Allow"] == "POST, GET")
        #expect(try await gate.send(.get, "/.well-known/jwks.json").code == "request.not_found")
    }

    @Test func admitsBeforeItSaysWhatExists() async throws {
        let gate = Gate(
            decider: FakeDecider(admit: { request in
                .refused(
                    Refusal(.policyRouteUnmapped), principal: FakeDecider.principal, action: "http.unknown_route",
                    route: nil, canonicalPath: request.target)
            }))
        let reply = try await gate.send(.get, "/nothing")
        #expect(reply.status == 403)
        #expect(reply.code == "policy.route_unmapped")
        #expect(reply["WWW-Authenticate"] == "Bearer error=\"insufficient_scope\"")
        #expect(gate.audit.queued.first?.action == "http.unknown_route")
        #expect(gate.audit.queued.first?.actor == "ci")
    }

    @Test func tellsTheCallerWhoItIs() async throws {
        let reply = try await Gate().send(.get, "/v1/auth/me")
        #expect(reply.json["subject"] == "ci")
        #expect(reply.json["admin"] == true)
        #expect(reply.json["claims"] == .object([:]))
        #expect(reply["Cache-Control"] == "no-store")
    }

    @Test func showsAndLiftsBlocks() async throws {
        let gate = Gate()
        let list = try await gate.send(.get, "/v1/admin/auth-blocks")
        #expect(list.json["blocks"]?.arrayValue?.first?["key"] == "ip:203.0.113.7")
        #expect(try await gate.send(.delete, "/v1/admin/auth-blocks").message == "key: required")
        #expect(try await gate.send(.delete, "/v1/admin/auth-blocks?key=ip:203.0.113.7").status == 204)
        let again = try await gate.send(.delete, "/v1/admin/auth-blocks?key=ip:203.0.113.7")
        #expect(again.status == 404)
        #expect(again.code == "auth.block_not_found")
    }

    @Test(arguments: ["/v1/audit/events", "/v1/audit"])
    func queriesTheTrailByParameters(_ path: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.get, path + "?actor=ci&limit=5")
        #expect(reply.json == ["events": [], "count": 0, "next_cursor": "next"])
        #expect(reply["Content-Type"] == "application/json")
        #expect(gate.trail.queries.first?.actor == "ci")
        #expect(gate.trail.queries.first?.limit == 5)
        #expect(gate.trail.readers == [.platform])
        #expect(gate.audit.queued.first?.metadata["filters"]?["actor"] == "ci")
        #expect(try await gate.send(.get, path + "?nope=1").code == "request.malformed")
        let bad = try await gate.send(.get, path + "?limit=0")
        #expect(bad.status == 400)
        #expect(bad.code == "audit.bad_filter")
        #expect(try await gate.send(.get, path + "?cursor=bad").code == "audit.bad_cursor")
    }

    @Test func queriesTheTrailByABodyAndOnlyTheOwnTenant() async throws {
        let gate = Gate(
            decider: FakeDecider(admit: { FakeDecider.admitted($0, holding: ["admin:access"]) }))
        let reply = try await gate.send(.post, "/v1/audit/query", body: #"{"outcome":"denied","limit":5}"#)
        #expect(reply.status == 200)
        #expect(gate.trail.queries.first?.outcome == .denied)
        #expect(gate.trail.readers == [.tenant("acme")])
        #expect(gate.audit.durable.isEmpty)
        let unknown = try await gate.send(.post, "/v1/audit/query", body: #"{"nope":1}"#)
        #expect(unknown.status == 400)
        #expect(unknown.code == "request.malformed")
        #expect(unknown.message == "Unknown member nope")
    }

    @Test func listsResources() async throws {
        let reply = try await Gate().send(.get, "/v1/resources?kind=AuthConfig")
        #expect(reply.json == ["items": [["kind": "AuthConfig"]], "snapshot": 7])
    }

    @Test func answersHeadWithoutABody() async throws {
        let reply = try await Gate().send(.head, "/v1/resources")
        #expect(reply.status == 200)
        #expect(reply.text.isEmpty)
        #expect(reply["Content-Length"] == "46")
    }
}
