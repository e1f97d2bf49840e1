// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import TestSupport
internal import Testing

@Suite struct ShareRoutesTests {
    private static func world() async throws -> ProjectGate {
        let gate = ProjectGate()
        try await gate.make("zeus", "apollo")
        return gate
    }

    @Test func offersAcceptsAndRevokes() async throws {
        let gate = try await Self.world()
        let offered = try await gate.send(.post, "/v1/projects/zeus/access", ProjectGate.offer)
        #expect(offered.status == 201)
        let id = try #require(offered.json["id"]?.stringValue)
        var record: JSONObject = [
            "id": .string(id), "resource_type": "agent", "resource_id": "m1", "owner_project": "zeus",
            "project": "apollo", "permissions": ["read"], "state": "pending", "expires_at": nil, "created_by": "olga",
            "created_at": "2026-03-01T12:00:00Z", "accepted_by": nil, "accepted_at": nil, "revoked_by": nil,
            "revoked_at": nil, "reason": nil,
        ]
        #expect(offered.json == .object(record))
        gate.clock.advance(seconds: 5)
        let accepted = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept", as: "rita@acme")
        record["state"] = "accepted"
        record["accepted_by"] = "rita"
        record["accepted_at"] = "2026-03-01T12:00:05Z"
        #expect(accepted.status == 200 && accepted.json == .object(record))
        gate.clock.advance(seconds: 5)
        let revoked = try await gate.send(
            .post, "/v1/projects/zeus/access/\(id)/revoke", #"{"reason":" over "}"#)
        record["state"] = "revoked"
        record["revoked_by"] = "olga"
        record["revoked_at"] = "2026-03-01T12:00:10Z"
        record["reason"] = "over"
        #expect(revoked.status == 200 && revoked.json == .object(record))
        let again = try await gate.send(
            .post, "/v1/projects/apollo/access/\(id)/revoke", #"{"reason":"other"}"#, as: "rita@acme")
        #expect(again.status == 200 && again.json == .object(record))
        for project in ["zeus", "apollo"] {
            #expect(try await gate.send(.get, "/v1/projects/\(project)/access/\(id)").json == .object(record))
        }
    }

    @Test func recordsBothProjectsTheResourceAndTheActor() async throws {
        let gate = try await Self.world()
        let id = try await gate.offered()
        let made = try #require(gate.audit.durable.last)
        #expect(made.actor == "olga" && made.resource == "agent/m1" && made.tenant == "acme")
        for (name, value) in [
            ("share_id", id), ("owner_project", "zeus"), ("project", "apollo"), ("resource_type", "agent"),
            ("resource_id", "m1"), ("project_tenant", "acme"),
        ] {
            #expect(made.metadata[name] == .string(value), "\(name)")
        }
        #expect(made.metadata["before"] == nil && made.metadata["after"]?["state"] == "pending")
        _ = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept", as: "rita@acme")
        let accepted = try #require(gate.audit.durable.last)
        #expect(accepted.actor == "rita")
        #expect(accepted.metadata["before"]?["state"] == "pending")
        #expect(accepted.metadata["after"]?["state"] == "accepted")
    }

    @Test func theSameOfferIsTheSameAnswer() async throws {
        let gate = try await Self.world()
        let first = try await gate.send(.post, "/v1/projects/zeus/access", ProjectGate.offer)
        let second = try await gate.send(.post, "/v1/projects/zeus/access", ProjectGate.offer)
        #expect(second.status == 201 && second.json == first.json)
        #expect(try await gate.send(.get, "/v1/projects/zeus/access").json["total"] == 1)
    }

    @Test func repeatsUnderAnIdempotencyKey() async throws {
        let gate = try await Self.world()
        let first = try await gate.send(.post, "/v1/projects/zeus/access", ProjectGate.offer, key: "k1")
        let id = first.json["id"]?.stringValue ?? ""
        _ = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept", as: "rita@acme", key: "k2")
        let repeated = try await gate.send(.post, "/v1/projects/zeus/access", ProjectGate.offer, key: "k1")
        #expect(repeated.status == 201 && repeated.json == first.json && repeated["Idempotency-Replayed"] == "true")
        let accepted = try await gate.send(
            .post, "/v1/projects/apollo/access/\(id)/accept", as: "rita@acme", key: "k2")
        #expect(accepted.status == 200 && accepted.json["state"] == "accepted")
        let mismatch = try await gate.send(
            .post, "/v1/projects/zeus/access", ProjectGate.offer.replacing("read", with: "use"), key: "k1")
        #expect(mismatch.status == 422 && mismatch.code == "request.idempotency_mismatch")
        let removed = try await gate.send(.delete, "/v1/projects/zeus", key: "k3")
        let removedAgain = try await gate.send(.delete, "/v1/projects/zeus", key: "k3")
        #expect(removed.status == 204 && removedAgain.status == 204)
    }

    @Test(arguments: [
        (#"{"project":"apollo","resource_type":"agent","resource_id":"m1"}"#, "permissions: required"),
        (#"{"project":"apollo","resource_type":"agent","permissions":["read"]}"#, "resource_id: required"),
        (#"{"project":"apollo","resource_id":"m1","permissions":["read"]}"#, "resource_type: required"),
        (#"{"resource_type":"agent","resource_id":"m1","permissions":["read"]}"#, "project: required"),
        (
            #"{"project":"apollo","resource_type":"","resource_id":"m1","permissions":["read"]}"#,
            "resource_type: not a text of 1 to 128 bytes without control characters"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"a\u0000","permissions":["read"]}"#,
            "resource_id: not a text of 1 to 512 bytes without control characters"
        ),
        (
            #"{"project":"A","resource_type":"agent","resource_id":"m1","permissions":["read"]}"#,
            "project: not [a-z0-9][a-z0-9_-]{0,62}"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"m1","permissions":["write"]}"#,
            "permissions: not a list of read, use, manage"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"m1","permissions":[]}"#,
            "permissions: not a list of read, use, manage"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"m1","permissions":["read",1]}"#,
            "permissions: not a list of read, use, manage"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"m1","permissions":"read"}"#,
            "permissions: not a list of read, use, manage"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"m1","permissions":["read"],"expires_at":"soon"}"#,
            "expires_at: not an instant like 2027-01-31T12:00:00Z"
        ),
        (
            #"{"project":"apollo","resource_type":"agent","resource_id":"m1","permissions":["read"],"expires_at":"2026-03-01T12:00:00Z"}"#,
            "expires_at: not in the future"
        ),
        (
            #"{"project":"zeus","resource_type":"agent","resource_id":"m1","permissions":["read"]}"#,
            "project: the offering project itself"
        ),
    ])
    func refusesBadOffers(_ body: String, _ message: String) async throws {
        let gate = try await Self.world()
        let reply = try await gate.send(.post, "/v1/projects/zeus/access", body)
        #expect(reply.status == 422 && reply.code == "policy.share_invalid" && reply.message == message)
        let field = reply.json["details"]?["fields"]?.arrayValue?.first?["field"]?.stringValue
        #expect(field == message.split(separator: ":").first.map(String.init))
        #expect(try await gate.send(.get, "/v1/projects/zeus/access").json["total"] == 0)
    }

    @Test func refusesOffersToOthers() async throws {
        let gate = try await Self.world()
        try await gate.make("far", as: "otto@other")
        let foreign = try await gate.send(
            .post, "/v1/projects/zeus/access", ProjectGate.offer.replacing("apollo", with: "far"))
        #expect(foreign.status == 403 && foreign.code == "policy.tenant_denied")
        #expect(foreign.message == "Project 'far' is not of your tenant")
        #expect(foreign["WWW-Authenticate"] == #"Bearer error="insufficient_scope""#)
        let unknown = try await gate.send(
            .post, "/v1/projects/zeus/access", ProjectGate.offer.replacing("apollo", with: "nobody"))
        #expect(unknown.status == 404 && unknown.code == "policy.project_not_found")
        #expect(unknown.message == "Project 'nobody' not found")
        let from = try await gate.send(.post, "/v1/projects/nobody/access", ProjectGate.offer)
        #expect(from.status == 404 && from.code == "policy.project_not_found")
        let member = try await gate.send(.post, "/v1/projects/zeus/access", #"{"owner_project":"x"}"#)
        #expect(member.status == 400 && member.code == "request.malformed")
        #expect(member.message == "Unknown member: owner_project")
    }

    @Test func answersOnlyWhatIsPending() async throws {
        let gate = try await Self.world()
        let id = try await gate.offered()
        for verb in ["accept", "decline"] {
            let wrongSide = try await gate.send(.post, "/v1/projects/zeus/access/\(id)/\(verb)")
            #expect(wrongSide.status == 403 && wrongSide.code == "policy.project_denied")
            #expect(wrongSide.message == "Only the receiving project answers an offer")
        }
        let declined = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/decline")
        #expect(declined.status == 200 && declined.json["state"] == "declined")
        for verb in ["accept", "decline", "revoke"] {
            let late = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/\(verb)")
            #expect(late.status == 409 && late.code == "policy.share_state")
            #expect(late.message == "The share is declined")
            #expect(late.json["details"] == ["state": "declined"])
        }
        let body = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept", #"{"force":1}"#)
        #expect(body.status == 400 && body.message == "Unknown member: force")
    }

    @Test(arguments: [HTTPRequest.Method.get, .patch, .post]) func strangersFindNothing(
        _ method: HTTPRequest.Method
    ) async throws {
        let gate = try await Self.world()
        try await gate.make("hermes")
        let id = try await gate.offered()
        let path = method == .post ? "/revoke" : ""
        for target in ["hermes/access/\(id)", "zeus/access/none"] {
            let reply = try await gate.send(method, "/v1/projects/\(target)\(path)", method == .get ? nil : "{}")
            #expect(reply.status == 404 && reply.code == "policy.share_not_found")
            #expect(reply.message == "Share '\(target.split(separator: "/")[2])' not found")
        }
        try await gate.make("zeus", as: "otto@other")
        let theirs = try await gate.send(
            method, "/v1/projects/zeus/access/\(id)\(path)", method == .get ? nil : "{}", as: "otto@other")
        #expect(theirs.status == 404 && theirs.code == "policy.share_not_found")
    }

    @Test func theOwnerChangesTheTerms() async throws {
        let gate = try await Self.world()
        let id = try await gate.offered()
        _ = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept")
        let target = "/v1/projects/zeus/access/\(id)"
        let limited = try await gate.send(.patch, target, #"{"expires_at":"2027-01-01T00:00:00+01:00"}"#)
        #expect(limited.json["expires_at"] == "2026-12-31T23:00:00Z" && limited.json["state"] == "accepted")
        let more = try await gate.send(.patch, target, #"{"permissions":["use","read"]}"#)
        #expect(more.status == 200 && more.json["state"] == "pending" && more.json["permissions"] == ["read", "use"])
        #expect(more.json["accepted_by"] == .null && more.json["expires_at"] == "2026-12-31T23:00:00Z")
        let open = try await gate.send(.patch, target, #"{"expires_at":null}"#)
        #expect(open.json["expires_at"] == .null)
        #expect(try await gate.send(.patch, target, "{}").json == open.json)
        let past = try await gate.send(.patch, target, #"{"expires_at":"2020-01-01T00:00:00Z"}"#)
        #expect(past.status == 422 && past.code == "policy.share_invalid")
        #expect(past.message == "expires_at: not in the future")
        let bad = try await gate.send(.patch, target, #"{"permissions":["all"]}"#)
        #expect(bad.status == 422 && bad.code == "policy.share_invalid")
        let unknown = try await gate.send(.patch, target, #"{"state":"accepted"}"#)
        #expect(unknown.status == 400 && unknown.message == "Unknown member: state")
        let receiver = try await gate.send(.patch, "/v1/projects/apollo/access/\(id)", #"{"permissions":["manage"]}"#)
        #expect(receiver.status == 403 && receiver.code == "policy.project_denied")
        #expect(receiver.message == "Only the offering project changes a share")
        _ = try await gate.send(.post, "\(target)/revoke")
        let ended = try await gate.send(.patch, target, #"{"permissions":["read"]}"#)
        #expect(ended.status == 409 && ended.code == "policy.share_state" && ended.message == "The share is revoked")
    }

    @Test(arguments: [
        (#"{"reason":""}"#, 422, "policy.share_invalid", "reason: not a text of 1 to 256 characters"),
        (#"{"reason":5}"#, 422, "policy.share_invalid", "reason: not a text"),
        (#"{"why":"x"}"#, 400, "request.malformed", "Unknown member: why"),
    ])
    func refusesBadReasons(_ body: String, _ status: Int, _ code: String, _ message: String) async throws {
        let gate = try await Self.world()
        let id = try await gate.offered()
        let reply = try await gate.send(.post, "/v1/projects/zeus/access/\(id)/revoke", body)
        #expect(reply.status == status && reply.code == code && reply.message == message)
        #expect(try await gate.send(.get, "/v1/projects/zeus/access/\(id)").json["state"] == "pending")
    }

    @Test func listsGivenAndReceivedByState() async throws {
        let gate = try await Self.world()
        var ids: [String] = []
        for index in 0..<3 {
            ids.append(try await gate.offered(ProjectGate.offer.replacing("m1", with: "m\(index)")))
            gate.clock.advance(seconds: 1)
        }
        _ = try await gate.send(.post, "/v1/projects/apollo/access/\(ids[1])/accept")
        func list(_ target: String) async throws -> [String] {
            let reply = try await gate.send(.get, "/v1/projects/\(target)")
            return reply.json["shares"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
        }
        #expect(try await list("zeus/access") == ids.reversed())
        #expect(try await list("zeus/shared").isEmpty)
        #expect(try await list("apollo/access").isEmpty)
        #expect(try await list("apollo/shared?state=all") == ids.reversed())
        #expect(try await list("apollo/shared?state=accepted") == [ids[1]])
        #expect(try await list("apollo/shared?state=pending,%20revoked") == [ids[2], ids[0]])
        let first = try await gate.send(.get, "/v1/projects/apollo/shared?limit=2&state=pending,accepted")
        #expect(first.json["total"] == 3)
        let cursor = try #require(first.json["next_cursor"]?.stringValue)
        #expect(try await list("apollo/shared?limit=2&state=pending,accepted&cursor=\(cursor)") == [ids[0]])
        for state in ["open", "", "pending,,accepted"] {
            let bad = try await gate.send(.get, "/v1/projects/apollo/shared?state=\(state)")
            #expect(bad.status == 422 && bad.code == "request.invalid")
            #expect(bad.message == "state: not a list of pending, accepted, declined, revoked, or all")
        }
        let nowhere = try await gate.send(.get, "/v1/projects/nobody/shared")
        #expect(nowhere.status == 404 && nowhere.code == "policy.project_not_found")
    }

    @Test func saysWhoMayUseAResource() async throws {
        let gate = try await Self.world()
        let target = "/v1/resources/agent/m1/projects"
        #expect(try await gate.send(.get, target).json == [])
        let id = try await gate.offered()
        let owner: JSONValue = ["project": "zeus", "permissions": ["manage", "read", "use"], "source": "owner"]
        #expect(try await gate.send(.get, target).json == [owner])
        _ = try await gate.send(.post, "/v1/projects/apollo/access/\(id)/accept")
        let reply = try await gate.send(.get, target)
        #expect(reply["Content-Type"] == "application/json")
        #expect(reply.json == [owner, ["project": "apollo", "permissions": ["read"], "source": "share"]])
        #expect(try await gate.send(.get, target, as: "otto@other").json == [])
    }

    /// Whatever the body is, the answer is an envelope of the area and nothing is stored.
    @Test func survivesAnyBody() async throws {
        let gate = try await Self.world()
        let random = SeededRandom(seed: 42)
        let names = ["resource_type", "resource_id", "project", "permissions", "expires_at", "reason", "x"]
        let values = [
            "null", "true", "0", "-1e400", "\"\"", "\"read\"", "[]", "[\"read\"]", "[[]]", "{}", "\"apollo\"",
            "\"\\ud800\"", "\"2027-02-30T00:00:00Z\"", "\"\u{1F600}\"",
        ]
        for _ in 0..<FuzzCases.count(300) {
            var body = "{"
            for index in 0..<random.below(6) {
                if index > 0 { body += "," }
                body += "\"\(names[random.below(names.count)])\":\(values[random.below(values.count)])"
            }
            if random.below(8) > 0 { body += "}" }
            let reply = try await gate.send(.post, "/v1/projects/zeus/access", body)
            let isOffer = reply.status == 201
            #expect(isOffer || reply.status == 400 || reply.status == 422 || reply.status == 404, "\(body)")
            #expect(isOffer || reply.code != nil, "\(body)")
        }
    }
}
