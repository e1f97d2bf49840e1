// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Essentials
internal import Foundation
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import Testing

@Suite struct DecisionsDoorTests {
    static let small = #"{"request":{"method":"GET","host":"api.example.com","path":"/v1/agent/tasks?x=1"}}"#

    @Test func answersEveryMemberOfAnAllowedDecision() async throws {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/decisions", body: Self.small)
        let json = reply.json
        #expect(reply.status == 200)
        #expect(
            json.objectValue?.names == [
                "decision", "status", "code", "message", "details", "principal", "headers", "remove_headers",
                "response_headers", "limits", "reservation", "auth_config", "policy", "snapshot", "request_id",
            ])
        #expect(json["decision"] == "allow")
        #expect(json["status"] == 200)
        #expect(json["code"] == .null)
        #expect(
            json["principal"]
                == .object(FakeDecider.principal.json(includingClaims: false, admin: false)))
        #expect(json["headers"]?["X-Tollgate-Subject"] == "ci")
        #expect(json["remove_headers"]?.arrayValue?.first == "Authorization")
        #expect(json["auth_config"] == "platform/main")
        #expect(json["policy"]?["matched_route"] == "GET /v1/agent/tasks")
        #expect(json["snapshot"] == 42)
        #expect(json["request_id"]?.stringValue == reply["X-Request-Id"])
    }

    @Test func describesTheWholeRequestToThePipeline() async throws {
        let gate = Gate()
        let body = #"""
            {"request":{"method":"POST","host":"api.example.com","path":"/x","scheme":"http",
             "headers":{"X-A":"1","x-b":["2","3"],"Cookie":null},"source_ip":"203.0.113.7","client_certificate":null,
             "body_base64":null},"credential":"tgs_x","permission":"tasks:read","required_scopes":["a:b"],
             "required_workspaces":["w"],"resource":{"type":"tasks","id":"t1","tenant":"acme","owner":"u1","project":null},
             "usage":{"action":"tokens","model":"m","input":1,"max_output":2},"explain":true}
            """#
        let reply = try await gate.send(.post, "/v1/decisions", body: body)
        let input = try #require(gate.decider.inputs.first)
        #expect(reply.status == 200)
        #expect(input.door == .json)
        #expect(input.scheme == "http")
        #expect(
            input.headers
                == HeaderList(lowercasedFields: [
                    .init(name: "x-a", value: "1"), .init(name: "x-b", value: "2"), .init(name: "x-b", value: "3"),
                ]))
        #expect(input.clientAddress == IPAddress("203.0.113.7"))
        #expect(input.credential == "tgs_x")
        #expect(input.permission == "tasks:read")
        #expect(input.requiredScopes == ["a:b"])
        #expect(input.requiredWorkspaces == ["w"])
        #expect(input.resource == .init(type: "tasks", id: "t1", owner: "u1", tenant: "acme"))
        #expect(input.explain)
        #expect(!input.dryRun)
        #expect(reply.json["explain"]?["steps"]?.arrayValue?.first?["step"] == "normalise")
        #expect(reply.json["explain"]?["matched"]?["host_rule"] == "*.example.com")
        #expect(reply.json["explain"]?["would_be"] == ["nginx": 200, "traefik": 200, "envoy": 200])
    }

    @Test func answersADenialAsADecision() async throws {
        let refusal = Refusal(
            .authMissingScope, message: "Missing required scopes: a, b", details: ["missing": ["a", "b"]],
            challengeScope: "a b")
        let gate = Gate(decider: FakeDecider(decide: FakeDecider.refused(refusal)))
        let reply = try await gate.send(.post, "/v1/decisions", body: Self.small)
        #expect(reply.status == 200)
        #expect(reply.json["decision"] == "deny")
        #expect(reply.json["status"] == 403)
        #expect(reply.json["code"] == "auth.missing_scope")
        #expect(reply.json["details"] == ["missing": ["a", "b"]])
        #expect(reply.json["headers"] == .object([:]))
        #expect(reply.json["remove_headers"] == [])
        #expect(
            reply.json["response_headers"]
                == ["WWW-Authenticate": "Bearer error=\"insufficient_scope\", scope=\"a b\""])
    }

    @Test func answersWhatCannotBeDecidedAsAnError() async throws {
        let gate = Gate(decider: FakeDecider(decide: FakeDecider.refused(Refusal(.authKeyUnavailable))))
        let reply = try await gate.send(.post, "/v1/decisions", body: Self.small)
        #expect(reply.status == 503)
        #expect(reply.code == "auth.key_unavailable")
        #expect(reply.message == "Unable to resolve signing key")
    }

    @Test(arguments: [
        ("", "request.malformed", 400, "The body is not JSON"),
        ("[]", "request.malformed", 400, "The body must be a JSON object, not a list"),
        (#"{"request":{"method":"GET","host":"a","path":"/"},"x":1}"#, "request.malformed", 400, "Unknown member: x"),
        (
            #"{"request":{"method":"GET","host":"a","path":"/","y":1}}"#, "request.malformed", 400,
            "Unknown member: request.y"
        ),
        (#"{"request":{"method":"GET","host":"a"}}"#, "request.invalid", 422, "request.path: required"),
        ("{}", "request.invalid", 422, "request: required"),
        (#"{"request":{"method":1,"host":"a","path":"/"}}"#, "request.invalid", 422, "request.method: not a text"),
        (
            #"{"request":{"method":"GET","host":"a","path":"/","source_ip":"x"}}"#, "request.invalid", 422,
            "request.source_ip: not an IP address"
        ),
        (
            #"{"request":{"method":"GET","host":"a","path":"/","headers":{"A":1}}}"#, "request.invalid", 422,
            "request.headers.a: not a text or a list of texts"
        ),
        (
            #"{"request":{"method":"GET","host":"a","path":"/","headers":{"Authorization":"x"}},"credential":"y"}"#,
            "request.invalid", 422, "credential: stands beside a credential header"
        ),
        (
            #"{"request":{"method":"GET","host":"a","path":"/"},"explain":"yes"}"#, "request.invalid", 422,
            "explain: not true or false"
        ),
        (
            #"{"request":{"method":"GET","host":"a","path":"/"},"required_scopes":"a"}"#, "request.invalid", 422,
            "required_scopes: not a list of texts"
        ),
        (
            #"{"request":{"method":"GET","host":"a","path":"/"},"idempotency_key":""}"#, "request.invalid", 422,
            "idempotency_key: not 1 to 256 bytes"
        ),
        (
            #"{"request":{"method":"GET","host":"a","path":"/"},"idempotency_key":"a\u0000b"}"#, "request.invalid", 422,
            "idempotency_key: holds a NUL character"
        ),
    ])
    func refusesACallThatIsAtFault(_ body: String, _ code: String, _ status: Int, _ message: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/decisions", body: body)
        #expect(reply.status == status)
        #expect(reply.code == code)
        #expect(reply.message == message)
        #expect(gate.decider.inputs.isEmpty)
        #expect(gate.audit.queued.last?.metadata["code"] == .string(code))
    }

    @Test func namesEveryBadField() async throws {
        let reply = try await Gate().send(
            .post, "/v1/decisions", body: #"{"request":{"method":1,"host":2},"explain":3}"#)
        let fields = reply.json["details"]?["fields"]?.arrayValue?.compactMap { $0["field"]?.stringValue }
        #expect(fields == ["request.method", "request.host", "request.path", "explain"])
    }

    @Test(arguments: [#""explain":true"#, #""permission":"admin:access""#])
    func asksForAdminAccess(_ member: String) async throws {
        let gate = Gate(
            decider: FakeDecider(admit: { FakeDecider.admitted($0, holding: ["decisions:evaluate"]) }))
        let reply = try await gate.send(
            .post, "/v1/decisions", body: Self.small.dropLast() + ",\(member)}")
        #expect(reply.status == 403)
        #expect(reply.code == "policy.permission_denied")
        #expect(reply.message?.hasPrefix("Permission 'admin:access' is required") == true)
        #expect(gate.decider.inputs.isEmpty)
    }

    @Test func explainsAsADryRun() async throws {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/decisions/explain", body: Self.small)
        #expect(gate.decider.inputs.first?.dryRun == true)
        #expect(gate.decider.inputs.first?.explain == true)
        #expect(reply.json["explain"]?["canonical_path"] == "/v1/agent/tasks?x=1")
    }

    @Test func refusesABodyThatIsTooLarge() async throws {
        let gate = Gate()
        let reply = try await gate.send(
            .post, "/v1/decisions", body: #"{"request":""# + String(repeating: "x", count: 256 * 1024) + "\"}")
        #expect(reply.status == 413)
        #expect(reply.code == "request.too_large")
        #expect(reply["Connection"] == "close")
    }

    @Test func refusesWhoMayNotAsk() async throws {
        let gate = Gate(
            decider: FakeDecider(admit: { _ in
                .refused(
                    Refusal(.authMissingToken), principal: .anonymous, action: "decision.check",
                    route: "POST /v1/decisions", canonicalPath: "/v1/decisions")
            }))
        let reply = try await gate.send(.post, "/v1/decisions", body: Self.small)
        #expect(reply.status == 401)
        #expect(reply.code == "auth.missing_token")
        #expect(reply["WWW-Authenticate"] == "Bearer")
        #expect(gate.audit.queued.first?.action == "decision.check")
        #expect(gate.audit.queued.first?.outcome == .denied)
    }

    @Test func answersTheSameKeyTwiceAndDecidesOnce() async throws {
        let gate = Gate()
        let body = Self.small.dropLast() + #","idempotency_key":"k1"}"#
        let first = try await gate.send(.post, "/v1/decisions", body: String(body))
        let second = try await gate.send(.post, "/v1/decisions", body: String(body))
        #expect(first.text == second.text)
        #expect(second["Idempotency-Replayed"] == "true")
        #expect(gate.decider.inputs.count == 1)
        let other = try await gate.send(
            .post, "/v1/decisions", body: body.replacingOccurrences(of: "GET", with: "PUT"))
        #expect(other.status == 422)
        #expect(other.code == "request.idempotency_mismatch")
    }

    @Test func keepsNoAnswerThatWasNoDecision() async throws {
        let gate = Gate(decider: FakeDecider(decide: FakeDecider.refused(Refusal(.decisionNotReady))))
        let body = String(Self.small.dropLast() + #","idempotency_key":"k1"}"#)
        for _ in 0..<2 { #expect(try await gate.send(.post, "/v1/decisions", body: body).status == 503) }
        #expect(gate.decider.inputs.count == 2)
    }
}
