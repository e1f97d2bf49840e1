// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Connectors
internal import Essentials
internal import Logging
internal import MetricsTestKit
internal import TestSupport
internal import Testing

/// Calls of a policy engine over real connections: what is sent, what is kept, and what every kind of failure does.
@Suite(.timeLimit(.minutes(10))) struct OPAClientTests {
    private static let allow = #"{"result": {"allow": true, "reasons": [], "effective_roles": ["editor", "viewer"]}}"#
    private static let allowed = EngineAnswer.decision(allow: true, reasons: [], effectiveRoles: ["editor", "viewer"])

    @Test func postsTheQuestionAndReadsTheAnswer() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.allow) }) { server in
            let world = ClientWorld(url: server.url)
            let question = try ClientWorld.question()
            #expect(await world.ask(question) == Self.allowed)
            let request = try #require(server.requests.first)
            #expect(request.method == "POST")
            #expect(request.target == "/v1/data/tollgate/decision")
            #expect(request.header("content-type") == "application/json")
            #expect(try JSONParser.parse(request.body) == ["input": question.input])
            #expect(world.client.status == .init(isUp: true, breaker: "closed", lastFailure: nil))
            #expect(try world.count("ok") == 1)
        }
    }

    @Test func oneConnectionServesCallAfterCall() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(#"{"result": false}"#) }) { server in
            let world = ClientWorld(url: server.url, cacheLifetime: .zero)
            let question = try ClientWorld.question()
            for _ in 0..<10 { #expect(await world.ask(question) == .roleCheck(false)) }
            #expect(server.requests.count == 10)
            #expect(server.connections == 1)
        }
    }

    @Test func noMoreThanThirtyTwoConnections() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.allow) }) { server in
            let world = ClientWorld(url: server.url, timeout: .seconds(60), cacheLifetime: .zero)
            let question = try ClientWorld.question()
            await withTaskGroup(of: EngineAnswer.self) { group in
                for _ in 0..<400 { group.addTask { await world.ask(question) } }
                for await answer in group { #expect(answer == Self.allowed) }
            }
            #expect(server.requests.count == 400)
            #expect(server.connections <= 32)
        }
    }

    @Test func anAnswerIsUsedAgainUntilItEnds() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.allow) }) { server in
            let world = ClientWorld(url: server.url)
            let question = try ClientWorld.question()
            for _ in 0..<3 { #expect(await world.ask(question) == Self.allowed) }
            #expect(server.requests.count == 1)
            world.clock.advance(seconds: 5)
            #expect(await world.ask(question) == Self.allowed)
            #expect(server.requests.count == 2)
            let other = try await world.ask(ClientWorld.question(roles: ["viewer"]))
            #expect(other == Self.allowed)
            #expect(server.requests.count == 3, "another question is asked")
            #expect(try world.metrics.expectCounter("tollgate_opa_cache_total", [("result", "hit")]).totalValue == 2)
            #expect(try world.metrics.expectCounter("tollgate_opa_cache_total", [("result", "miss")]).totalValue == 3)
        }
    }

    @Test func anAnswerIsKeptNoLongerThanTheCredential() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.allow) }) { server in
            let world = ClientWorld(url: server.url)
            let question = try ClientWorld.question()
            _ = await world.ask(question, expiresIn: .seconds(2))
            world.clock.advance(seconds: 2)
            _ = await world.ask(question, expiresIn: .zero)
            _ = await world.ask(question, expiresIn: .zero)
            #expect(server.requests.count == 3)
        }
    }

    /// Each kind of failure, whether the switch covers it, and what it counts as.
    struct Failure: Sendable, CustomTestStringConvertible {
        let answer: LoopbackHTTPServer.Answer
        let label: String
        let failsOpen: Bool
        var testDescription: String {
            "\(label) \(answer.status) \(String(decoding: answer.body.prefix(40), as: UTF8.self))"
        }
    }

    static let failures: [Failure] = [
        Failure(answer: .json("{}", status: 500), label: "server_error", failsOpen: true),
        Failure(answer: .json(allow, status: 503), label: "server_error", failsOpen: true),
        Failure(answer: .json(allow, status: 400), label: "bad_status", failsOpen: false),
        Failure(answer: .json(allow, status: 401), label: "bad_status", failsOpen: false),
        Failure(answer: .json(allow, status: 404), label: "bad_status", failsOpen: false),
        Failure(answer: .json(allow, status: 201), label: "bad_status", failsOpen: false),
        Failure(
            answer: .init(status: 307, headers: [("location", "/v1/data/authz")]), label: "bad_status", failsOpen: false
        ),
        Failure(answer: .json("{}"), label: "unreadable", failsOpen: false),
        Failure(answer: .json("<html>"), label: "unreadable", failsOpen: false),
        Failure(answer: .json(#"{"result": {"allow": 1}}"#), label: "unreadable", failsOpen: false),
        Failure(
            answer: .json(#"{"result": true, "x": ""# + String(repeating: "x", count: 70_000) + #""}"#),
            label: "unreadable", failsOpen: false),
        Failure(answer: .drop, label: "connection", failsOpen: true),
        Failure(answer: .silence, label: "timeout", failsOpen: true),
        Failure(answer: .stalling(allow), label: "timeout", failsOpen: true),
    ]

    @Test(arguments: failures) func everyFailureIsUnavailableAndFewFailOpen(_ failure: Failure) async throws {
        try await LoopbackHTTPServer.with({ _ in failure.answer }) { server in
            for failsOpen in [false, true] {
                // Only what never comes is waited for in vain.
                let timeout: Duration = failure.label == "timeout" ? .milliseconds(200) : .seconds(60)
                let world = ClientWorld(url: server.url, timeout: timeout, failsOpen: failsOpen)
                let answer = try await world.ask(ClientWorld.question())
                #expect(answer == .unavailable(failsOpen: failsOpen && failure.failsOpen))
                #expect(try world.count(failure.label) == 1)
                #expect(world.client.status.lastFailure != nil)
                // Never for what administers, never on the own surface.
                let admin = try await world.ask(ClientWorld.question(action: "admin:access"))
                #expect(admin == .unavailable(failsOpen: false))
                let own = try await world.ask(ClientWorld.question(surface: .own))
                #expect(own == .unavailable(failsOpen: false))
            }
        }
    }

    @Test func nobodyThereIsAConnectionFailureAtOnce() async throws {
        let world = ClientWorld(url: "http://127.0.0.1:\(try FreePort.next())", timeout: .seconds(60), failsOpen: true)
        let answer = try await world.ask(ClientWorld.question())
        #expect(answer == .unavailable(failsOpen: true))
        #expect(try world.count("connection") == 1)
        #expect(world.client.status == .init(isUp: false, breaker: "closed", lastFailure: "no connection"))
    }

    @Test func aConnectionThatThePeerClosedIsTriedOnceMore() async throws {
        let count = Counted()
        try await LoopbackHTTPServer.with({ _ in count.next() == 2 ? .drop : .json(Self.allow) }) { server in
            let world = ClientWorld(url: server.url, cacheLifetime: .zero)
            let question = try ClientWorld.question()
            #expect(await world.ask(question) == Self.allowed)
            #expect(await world.ask(question) == Self.allowed)
            #expect(server.requests.count == 3)
        }
    }

    @Test func aSlowCallIsNotRepeated() async throws {
        try await LoopbackHTTPServer.with({ _ in .silence }) { server in
            let world = ClientWorld(url: server.url, timeout: .milliseconds(100))
            _ = try await world.ask(ClientWorld.question())
            #expect(server.requests.count <= 1)
        }
    }

    @Test func aCallTakesNoMoreThanWhatIsLeft() async throws {
        try await LoopbackHTTPServer.with({ _ in .silence }) { server in
            let world = ClientWorld(url: server.url, timeout: .seconds(60), failsOpen: true)
            let answer = await world.client.answer(
                try ClientWorld.question(), timeLeft: .milliseconds(50), expiresIn: nil)
            #expect(answer == .unavailable(failsOpen: true))
            #expect(try world.count("timeout") == 1)
            let late = await world.client.answer(try ClientWorld.question(), timeLeft: .zero, expiresIn: nil)
            #expect(late == .unavailable(failsOpen: false), "being slow oneself opens nothing")
            #expect(server.requests.count <= 1, "without time nobody is asked")
        }
    }

    @Test func theBreakerOpensAndAProbeClosesIt() async throws {
        let isBroken = Switch(true)
        try await LoopbackHTTPServer.with({ _ in isBroken.value ? .json("{}", status: 500) : .json(Self.allow) }) {
            server in
            let world = ClientWorld(url: server.url, failsOpen: true)
            let question = try ClientWorld.question()
            for _ in 0..<8 { #expect(await world.ask(question) == .unavailable(failsOpen: true)) }
            #expect(server.requests.count == 5)
            #expect(world.client.status.breaker == "open")
            #expect(try world.count("breaker_open") == 3)
            #expect(try world.metrics.expectGauge("tollgate_opa_breaker_state").lastValue == 2)
            isBroken.value = false
            world.clock.advance(seconds: 10)
            #expect(await world.ask(question) == Self.allowed)
            #expect(world.client.status == .init(isUp: true, breaker: "closed", lastFailure: nil))
            #expect(try world.metrics.expectGauge("tollgate_opa_up").lastValue == 1)
        }
    }

    /// Were wrong answers to open the breaker, an open breaker would then let requests pass that must not.
    @Test(arguments: failures.filter { !$0.failsOpen }) func wrongAnswersNeverOpenTheBreaker(_ failure: Failure)
        async throws
    {
        try await LoopbackHTTPServer.with({ _ in failure.answer }) { server in
            let world = ClientWorld(url: server.url, failsOpen: true)
            let question = try ClientWorld.question()
            for _ in 0..<8 { #expect(await world.ask(question) == .unavailable(failsOpen: false)) }
            #expect(world.client.status.breaker == "closed")
        }
    }

    @Test func looksAfterAnEngineThatNobodyAsks() async throws {
        try await LoopbackHTTPServer.with({ _ in .json("{}") }) { server in
            let world = ClientWorld(url: server.url)
            #expect(world.client.status.isUp == nil)
            let rounds = Counted()
            await world.client.watch { _ in
                world.clock.advance(seconds: 10)
                if rounds.next() == 3 { throw CancellationError() }
            }
            #expect(server.requests.map(\.target) == ["/health", "/health", "/health"])
            #expect(world.client.status.isUp == true)
        }
    }

    @Test func anEngineThatIsGoneIsSeenWithoutARequest() async throws {
        let world = ClientWorld(url: "http://127.0.0.1:\(try FreePort.next())")
        await world.client.watch { _ in throw CancellationError() }
        #expect(world.client.status.isUp == false)
        #expect(try world.metrics.expectGauge("tollgate_opa_up").lastValue == 0)
    }
}
