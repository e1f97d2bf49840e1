// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import Testing

@testable internal import HTTPService

@Suite struct ExplainAnswerTests {
    private static func json(_ decision: Decision) throws -> JSONValue {
        var json = JSONWriter(reserving: 1024)
        DecisionAnswer.write(decision, explained: true, to: &json)
        return try JSONParser.parse(json.bytes)
    }

    private static func decision(_ refusal: Refusal?) -> Decision {
        var input = DecisionInput(door: .json, requestID: "r")
        input.host = "api.example.com"
        input.method = "GET"
        input.target = "/x"
        var decision = FakeDecider.allowed(input)
        decision.route = "GET /x"
        decision.refusal = refusal
        decision.steps = [
            .init(
                name: "authorise", outcome: .deny, code: .policyScopeDenied, detail: "a\nb", remedy: "Do.",
                microseconds: 7),
            .init(name: "audit", outcome: .pass, code: nil, detail: "accepted", microseconds: 1),
        ]
        return decision
    }

    @Test func aStepHasAllItsMembers() throws {
        let json = try Self.json(Self.decision(nil))
        #expect(
            json["explain"]?["steps"] == [
                [
                    "step": "authorise", "outcome": "deny", "code": "policy.scope_denied", "detail": "a\nb",
                    "remedy": "Do.", "duration_us": 7,
                ],
                [
                    "step": "audit", "outcome": "pass", "code": nil, "detail": "accepted", "remedy": nil,
                    "duration_us": 1,
                ],
            ])
        #expect(
            json["explain"]?["matched"] == [
                "auth_config": "platform/main", "host_rule": "*.example.com", "route": "GET /x",
                "permission": "tasks:read",
            ])
    }

    @Test(
        arguments: [
            (nil, 200, 200), (Refusal(.rateLimited), 403, 429), (Refusal(.authMissingToken), 401, 401),
            (Refusal(.policyScopeDenied), 403, 403), (Refusal(.authNoConfig), 403, 404),
            (Refusal(.policyPathInvalid), 403, 400), (Refusal(.configInvalid), 503, 503),
        ] as [(Refusal?, Int64, Int64)])
    func theDoorsAreThoseThatAreDocumented(refusal: Refusal?, nginx: Int64, others: Int64) throws {
        let wouldBe = try Self.json(Self.decision(refusal))["explain"]?["would_be"]
        #expect(wouldBe == ["nginx": .int(nginx), "traefik": .int(others), "envoy": .int(others)])
    }

    @Test func whatBelongsToOthersIsBlank() throws {
        var decision = Self.decision(nil)
        decision.blanks.host = true
        decision.blanks.caller = true
        let json = try Self.json(decision)
        for member in ["auth_config", "host_rule", "route", "permission"] {
            #expect(json["explain"]?["matched"]?[member] == "belongs to another tenant")
        }
        #expect(json["principal"]?["subject"] == "ci", "a live answer keeps what the gateway needs")
    }
}
