// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import RuntimeState
internal import Synchronization
internal import Testing

/// What a gateway says a request uses, and what it is told of credit.
@Suite struct DecisionUsageTests {
    private static func body(_ usage: String, _ more: String = "") -> String {
        #"{"request":{"method":"GET","host":"a.example","path":"/x"},"usage":\#(usage)\#(more)}"#
    }

    private func usage(_ usage: String) async throws -> StatedUsage? {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/decisions", body: Self.body(usage))
        #expect(reply.status == 200, "\(reply.text)")
        return gate.decider.inputs.first?.usage
    }

    @Test func readsEveryAction() async throws {
        let tokens = try #require(
            try await usage(
                #"{"action":"tokens","provider":"openai","model":"o3","input":1,"output":2,"max_output":3,"cache_read":4,"cache_write":5,"reasoning":6,"user":"u","project":"p","agent":"a","account":"acme"}"#
            ))
        #expect(tokens.action == .tokens)
        #expect([tokens.provider, tokens.model] == ["openai", "o3"])
        #expect(
            tokens.estimate
                == TokenEstimate(input: 1, maxOutput: 3, output: 2, cacheRead: 4, cacheWrite: 5, reasoning: 6))
        #expect([tokens.user, tokens.project, tokens.agent, tokens.account] == ["u", "p", "a", "acme"])
        #expect(try await usage(#"{"action":"tokens","model":"m","cached_input":9}"#)?.estimate.cacheRead == 9)
        #expect(try await usage(#"{"action":"task"}"#)?.count == 1)
        #expect(try await usage(#"{"action":"task","count":7}"#)?.count == 7)
        let hire = try await usage(#"{"action":"agent.hire","id":"a1","premium":true}"#)
        #expect(hire?.action == .agentHire && hire?.id == "a1" && hire?.isPremium == true)
        let slot = try await usage(#"{"action":"slot","kind":"workspace"}"#)
        #expect(slot?.action == .slot && slot?.slot == .workspace && slot?.id == nil)
        #expect(try await usage("null") == nil)
    }

    @Test(arguments: [
        (#"{}"#, "usage.action: required"),
        (#"{"action":"none"}"#, "usage.action: not one of agent.hire, slot, task, tokens"),
        (#"{"action":1}"#, "usage.action: not a text"),
        (#"{"action":"tokens","input":1}"#, "usage.model: required"),
        (#"{"action":"tokens","model":"m"}"#, "usage: no count is given; action tokens needs one"),
        (#"{"action":"tokens","model":"","input":1}"#, "usage.model: not 1 to 256 bytes without NUL"),
        (#"{"action":"tokens","model":"a\u0000","input":1}"#, "usage.model: not 1 to 256 bytes without NUL"),
        (#"{"action":"tokens","model":"m","input":-1}"#, "usage.input: not a whole number from 0 to 1000000000"),
        (#"{"action":"tokens","model":"m","input":1.5}"#, "usage.input: not a whole number from 0 to 1000000000"),
        (
            #"{"action":"tokens","model":"m","reasoning":1000000001}"#,
            "usage.reasoning: not a whole number from 0 to 1000000000"
        ),
        (
            #"{"action":"tokens","model":"m","cache_read":1,"cached_input":1}"#,
            "usage.cached_input: stands beside cache_read, which is the same"
        ),
        (#"{"action":"tokens","model":"m","input":1,"count":2}"#, "usage.count: does not belong to action tokens"),
        (#"{"action":"task","count":0}"#, "usage.count: not a whole number from 1 to 1000000000"),
        (#"{"action":"task","model":"m"}"#, "usage.model: does not belong to action task"),
        (#"{"action":"agent.hire","premium":"yes"}"#, "usage.premium: not true or false"),
        (#"{"action":"slot"}"#, "usage.kind: required"),
        (#"{"action":"slot","kind":"agent"}"#, "usage.kind: not worker or workspace"),
    ])
    func refusesWhatDoesNotFit(_ usage: String, _ message: String) async throws {
        let gate = Gate()
        let reply = try await gate.send(.post, "/v1/decisions", body: Self.body(usage))
        #expect(reply.status == 422)
        #expect(reply.code == "request.invalid")
        #expect(reply.message == message)
        #expect(gate.decider.inputs.isEmpty)
    }

    @Test func refusesAMemberThatIsNotKnown() async throws {
        let reply = try await Gate().send(
            .post, "/v1/decisions", body: Self.body(#"{"action":"task","requires":{"plan":"free"}}"#))
        #expect(reply.status == 400)
        #expect(reply.message == "Unknown member: usage.requires")
    }

    @Test(arguments: [
        ("acme", false, true), ("globex", false, false), ("globex", true, true),
    ])
    func onlyThePlatformHasAnotherAccountPay(_ account: String, _ isAdmin: Bool, _ passes: Bool) async throws {
        let holding: Set<String>? = isAdmin ? nil : ["decisions:evaluate"]
        let gate = Gate(decider: FakeDecider(admit: { FakeDecider.admitted($0, holding: holding) }))
        let reply = try await gate.send(
            .post, "/v1/decisions", body: Self.body(#"{"action":"task","account":"\#(account)"}"#))
        #expect(reply.status == (passes ? 200 : 403))
        if !passes { #expect(reply.code == "policy.platform_required") }
        #expect(gate.decider.inputs.map(\.usage?.account) == (passes ? [account] : []))
    }

    // MARK: Answers

    /// Everything that was given back, by its path.
    private final class Returns: Sendable {
        private let paths = Mutex<[String]>([])
        var all: [String] { paths.withLock { $0 } }
        func note(_ path: String?) { paths.withLock { $0.append(path ?? "") } }
    }

    private static func granting(_ returns: Returns = Returns()) -> FakeDecider {
        FakeDecider(decide: { input in
            var decision = FakeDecider.allowed(input)
            decision.granted = GrantedEntitlement(
                Entitlement(
                    account: "acme", key: "k", plan: "pro", remainingMicroCredits: 4_250_000,
                    reservation: .init(
                        id: "r-1", heldMicroCredits: 750_000, expiresAt: Timestamp(seconds: 1_772_366_700))))
            decision.taken = [{ returns.note(input.target) }]
            return decision
        })
    }

    @Test func tellsTheReservationAndWhatIsLeft() async throws {
        let reply = try await Gate(decider: Self.granting()).send(
            .post, "/v1/decisions", body: Self.body(#"{"action":"task"}"#))
        #expect(
            reply.json["reservation"]
                == ["id": "r-1", "held_micro_credits": 750_000, "expires_at": "2026-03-01T12:05:00Z"])
        #expect(reply.json["headers"]?["X-Tollgate-Plan"] == "pro")
        #expect(reply.json["headers"]?["X-Tollgate-Credits-Remaining"] == "4.25")
    }

    @Test func sendsPlanAndCreditsAtEveryDoor() async throws {
        let headers = [
            ("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", "api.example.com"), ("X-Forwarded-Uri", "/v1/x"),
            ("X-Original-Method", "GET"), ("X-Original-URL", "https://api.example.com/v1/x"),
            ("X-Forwarded-Proto", "https"),
        ]
        let returns = Returns()
        for door in ["nginx", "traefik", "caddy", "envoy/v1/x"] {
            let reply = try await Gate.behindProxy(Self.granting(returns)).send(
                .get, "/v1/forward-auth/\(door)", headers)
            #expect(reply.status == 200, "\(door) \(reply.text)")
            #expect(reply["X-Tollgate-Plan"] == "pro", "\(door)")
            #expect(reply["X-Tollgate-Credits-Remaining"] == "4.25", "\(door)")
        }
        #expect(returns.all.isEmpty)
    }

    @Test(arguments: [
        (ErrorCode.billingPlanRequired, 402), (.billingModelTierNotAvailable, 403), (.billingAccountNotFound, 404),
        (.rateLimited, 429), (.billingUnavailable, 503),
    ])
    func refusalsOfCreditAreTranslatedAsAllOthers(_ code: ErrorCode, _ status: Int) async throws {
        let refusal = Refusal(code, details: ["remaining": 0, "upgrade": ["plan": "pro"]])
        let headers = [
            ("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", "api.example.com"), ("X-Forwarded-Uri", "/v1/x"),
            ("X-Original-Method", "GET"), ("X-Original-URL", "https://api.example.com/v1/x"),
        ]
        let nginx = try await Gate.behindProxy(FakeDecider(decide: FakeDecider.refused(refusal))).send(
            .get, "/v1/forward-auth/nginx", headers)
        #expect(nginx.status == (status == 503 ? 503 : 403))
        #expect(nginx["X-Auth-Status"] == String(status))
        #expect(nginx["X-Auth-Reason"] == code.rawValue)
        let traefik = try await Gate.behindProxy(FakeDecider(decide: FakeDecider.refused(refusal))).send(
            .get, "/v1/forward-auth/traefik", headers)
        #expect(traefik.status == status)
        #expect(traefik.code == code.rawValue)
        #expect(traefik.json["details"]?["upgrade"]?["plan"] == "pro")
    }

    // MARK: Keys

    @Test func aKeyIsTheAskersOwnAndTheRequestIsMeteredOnceByIt() async throws {
        let gate = Gate()
        for key in ["k1", "k2"] {
            _ = try await gate.send(
                .post, "/v1/decisions", body: Self.body(#"{"action":"task"}"#, #","idempotency_key":"\#(key)""#))
        }
        _ = try await gate.send(.post, "/v1/decisions", body: Self.body(#"{"action":"task"}"#))
        let keys = gate.decider.inputs.map(\.meteringKey)
        #expect(Set(keys).count == 3)
        #expect(keys[2] == nil)
        #expect(keys.compactMap { $0 }.allSatisfy { $0.hasPrefix("decision:") && $0.utf8.count == 73 })
        let other = Gate(
            decider: FakeDecider(admit: { request in
                let principal = Principal(
                    subject: "ci", identityType: .service, authSource: .serviceToken, scoped: true, tokenID: "ci-2",
                    tenantID: "acme")
                return .allowed(
                    OwnCaller(
                        principal: principal, admin: false, action: "test", route: "", canonicalPath: request.target,
                        holds: { _ in true }))
            }))
        _ = try await other.send(
            .post, "/v1/decisions", body: Self.body(#"{"action":"task"}"#, #","idempotency_key":"k1""#))
        #expect(other.decider.inputs.first?.meteringKey != keys[0])
    }

    @Test func anAnswerThatCannotBeKeptIsGivenBack() async throws {
        let returns = Returns()
        let gate = Gate(decider: Self.granting(returns))
        gate.keys.isAway.withLock { $0 = true }
        let reply = try await gate.send(
            .post, "/v1/decisions", body: Self.body(#"{"action":"task"}"#, #","idempotency_key":"k1""#))
        #expect(reply.status == 503)
        #expect(returns.all == ["/x"])
    }

    @Test func aBatchThatCannotBeAnsweredIsGivenBack() async throws {
        func element(_ path: String, _ more: String = "") -> String {
            #"{"request":{"method":"GET","host":"a.example","path":"\#(path)"}\#(more)}"#
        }
        let body = #"{"requests":[\#(element("/a")),\#(element("/b", #","idempotency_key":"k""#)),\#(element("/c"))]}"#
        let returns = Returns()
        let gate = Gate(decider: Self.granting(returns))
        #expect(try await gate.send(.post, "/v1/decisions/batch", body: body).status == 200)
        #expect(returns.all.isEmpty)
        let away = Gate(decider: Self.granting(returns))
        away.keys.isAway.withLock { $0 = true }
        #expect(try await away.send(.post, "/v1/decisions/batch", body: body).status == 503)
        #expect(returns.all.sorted() == ["/a", "/b", "/c"])
    }

    @Test func aReplayIsTheFirstAnswerWithItsReservation() async throws {
        let gate = Gate(decider: Self.granting())
        let body = Self.body(#"{"action":"task"}"#, #","idempotency_key":"k1""#)
        let first = try await gate.send(.post, "/v1/decisions", body: body)
        let second = try await gate.send(.post, "/v1/decisions", body: body)
        #expect(second.json["reservation"]?["id"] == "r-1")
        #expect(first.text == second.text)
        #expect(gate.decider.inputs.count == 1)
    }
}
