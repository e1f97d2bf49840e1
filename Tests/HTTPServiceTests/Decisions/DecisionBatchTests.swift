// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Pipeline
internal import Testing

@Suite struct DecisionBatchTests {
    private func element(_ path: String, _ more: String = "") -> String {
        #"{"request":{"method":"GET","host":"a.example","path":"\#(path)"}\#(more)}"#
    }

    @Test func decidesInOrder() async throws {
        let decider = FakeDecider(decide: { input in
            switch input.target {
            case "/no": FakeDecider.refused(Refusal(.policyPermissionDenied))(input)
            case "/away": FakeDecider.refused(Refusal(.policyUnavailable))(input)
            default: FakeDecider.allowed(input)
            }
        })
        let reply = try await Gate(decider: decider).send(
            .post, "/v1/decisions/batch",
            body: #"{"requests":[\#(element("/yes")),\#(element("/no")),\#(element("/away"))]}"#)
        let decisions = reply.json["decisions"]?.arrayValue ?? []
        #expect(reply.status == 200)
        #expect(decisions.map { $0["decision"]?.stringValue } == ["allow", "deny", "unavailable"])
        #expect(decisions.map { $0["status"]?.intValue } == [200, 403, 503])
    }

    @Test func isUnavailableWhenNothingCanBeDecided() async throws {
        let gate = Gate(decider: FakeDecider(decide: FakeDecider.refused(Refusal(.decisionNotReady))))
        let reply = try await gate.send(
            .post, "/v1/decisions/batch", body: #"{"requests":[\#(element("/a")),\#(element("/b"))]}"#)
        #expect(reply.status == 503)
        #expect(reply.code == "decision.not_ready")
    }

    @Test(arguments: [
        (#"{"requests":[]}"#, 422, "request.invalid", "requests: not a list of 1 to 100 requests"),
        (#"{"requests":{}}"#, 422, "request.invalid", "requests: not a list of 1 to 100 requests"),
        (#"{"requests":[1]}"#, 422, "request.invalid", "requests[0]: not an object"),
        (#"{"requests":[{"request":{}}]}"#, 422, "request.invalid", "requests[0].request.method: required"),
        (#"{"requests":[{"x":1}]}"#, 422, "request.invalid", "requests[0]: Unknown member: requests[0].x"),
        (#"{"requests":[],"y":1}"#, 400, "request.malformed", "Unknown member: y"),
    ])
    func refusesTheWholeCall(_ body: String, _ status: Int, _ code: String, _ message: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/decisions/batch", body: body)
        #expect(reply.status == status)
        #expect(reply.code == code)
        #expect(reply.message == message)
        #expect(gate.decider.inputs.isEmpty)
    }

    @Test func refusesMoreThanAHundred() async throws {
        let body = "{\"requests\":[" + Array(repeating: element("/"), count: 101).joined(separator: ",") + "]}"
        let reply = try await Gate().send(.post, "/v1/decisions/batch", body: body)
        #expect(reply.status == 422)
        #expect(reply.code == "request.invalid")
    }

    @Test func repeatsOnlyWhatHasAKey() async throws {
        let gate = Gate()
        let body = #"{"requests":[\#(element("/a", #","idempotency_key":"k""#)),\#(element("/b"))]}"#
        let first = try await gate.send(.post, "/v1/decisions/batch", body: body)
        let second = try await gate.send(.post, "/v1/decisions/batch", body: body)
        #expect(gate.decider.inputs.map(\.target) == ["/a", "/b", "/b"])
        #expect(first.json["decisions"]?.arrayValue?.first == second.json["decisions"]?.arrayValue?.first)
    }
}
