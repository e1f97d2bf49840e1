// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import Testing

@Suite(.timeLimit(.minutes(10))) struct ConnectionGateTests {
    private static let health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"

    private func code(_ text: String) -> String? {
        guard let start = text.firstRange(of: "\r\n\r\n")?.upperBound else { return nil }
        return (try? JSONParser.parse(text: String(text[start...])))?["code"]?.stringValue
    }

    @Test func keepsAConnectionForSeveralRequests() async throws {
        let text = try await Gate().live { port in
            try await RawClient(port: port).run { connection in
                for _ in 0..<3 { try await connection.send(Self.health) }
                try await connection.send("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                try await connection.read()
                return connection.received
            }
        }
        #expect(text.components(of: "HTTP/1.1 200 OK") == 4)
    }

    @Test(arguments: ["h2c", "websocket"])
    func answersARequestThatAsksForAnUpgradeAndEnds(_ upgrade: String) async throws {
        let text = try await Gate().untilClosed(
            "GET /health HTTP/1.1\r\nHost: a\r\nUpgrade: \(upgrade)\r\nConnection: Upgrade\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.lowercased().contains("connection: close"))
        #expect(text.contains(#""status":"ok""#))
    }

    @Test func answersAnUpgradeWithABody() async throws {
        let text = try await Gate().untilClosed(
            "POST /v1/service-tokens HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}")
        #expect(text.hasPrefix("HTTP/1.1 201 Created\r\n"))
    }

    @Test func tellsAClientThatExpectsItToContinue() async throws {
        let text = try await Gate().live { port in
            try await RawClient(port: port).run { connection in
                try await connection.send(
                    "POST /v1/service-tokens HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
                        + "Connection: close\r\n\r\n")
                try await connection.read(until: "100 Continue\r\n\r\n")
                try await connection.send("{}")
                try await connection.read()
                return connection.received
            }
        }
        #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + String(repeating: "x", count: 70_000) + "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X-A: b\r\n", count: 130) + "\r\n",
        "GET /" + String(repeating: "x", count: 70_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
    func refusesHeadsThatAreTooLarge(_ request: String) async throws {
        let gate = Gate()
        let text = try await gate.untilClosed(request)
        #expect(text.hasPrefix("HTTP/1.1 431 "))
        #expect(code(text) == "request.headers_too_large")
        #expect(text.contains("The request line and headers are too large"))
        #expect(gate.decider.own.isEmpty)
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\nHost a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ])
    func refusesWhatIsNoRequest(_ request: String) async throws {
        let text = try await Gate().untilClosed(request)
        #expect(text.hasPrefix("HTTP/1.1 400 "))
        #expect(code(text) == "request.malformed")
        #expect(text.contains("The request is malformed"))
    }

    @Test func refusesARequestWithoutAHost() async throws {
        let text = try await Gate().untilClosed("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 400 "))
        #expect(code(text) == "request.bad_host")
        #expect(text.contains("The Host header is missing"))
    }

    @Test func refusesTwoHosts() async throws {
        let text = try await Gate().untilClosed(
            "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
        #expect(code(text) == "request.duplicate_header")
    }

    @Test(arguments: [
        "GET /health HT", "POST /v1/service-tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{}",
        "GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    ])
    func refusesARequestThatIsTooSlow(_ start: String) async throws {
        var gate = Gate()
        gate.settings.readTimeout = .milliseconds(100)
        let text = try await gate.untilClosed(start)
        #expect(text.hasPrefix("HTTP/1.1 408 "))
        #expect(code(text) == "request.timeout")
        #expect(text.contains("The request took too long to arrive"))
        #expect(gate.tokens.made.isEmpty)
    }

    @Test func measuresEachRequestOfAConnectionByItself() async throws {
        var gate = Gate()
        gate.settings.readTimeout = .milliseconds(100)
        let text = try await gate.live { port in
            try await RawClient(port: port).run { connection in
                try await connection.send(Self.health)
                try await connection.read(until: "ok")
                try await connection.send("GET /he")
                try await connection.read()
                return connection.received
            }
        }
        #expect(text.hasPrefix("HTTP/1.1 200 OK"))
        #expect(text.components(of: "HTTP/1.1 408 ") == 1)
    }

    @Test func closesAnIdleConnectionWithoutAWord() async throws {
        var gate = Gate()
        gate.settings.idleTimeout = .milliseconds(100)
        #expect(try await gate.untilClosed("").isEmpty)
    }

    @Test func doesNotReadABodyThatIsTooLarge() async throws {
        let gate = Gate()
        let text = try await gate.untilClosed(
            "POST /v1/service-tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n"
                + String(repeating: "x", count: 10_000))
        #expect(text.hasPrefix("HTTP/1.1 413 "))
        #expect(code(text) == "request.too_large")
        #expect(gate.tokens.made.isEmpty)
    }

    @Test func endsABodyWithoutLengthThatIsTooLarge() async throws {
        let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
        let text = try await Gate().untilClosed(
            "POST /v1/service-tokens HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: chunk, count: 4))
        #expect(text.hasPrefix("HTTP/1.1 413 "))
        #expect(code(text) == "request.too_large")
    }

    @Test func neverTakesHalfABodyForAWholeOne() async throws {
        let gate = Gate()
        let text = try await gate.untilClosed(
            "POST /v1/service-tokens HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n{}", thenHalfClose: true)
        #expect(!text.contains("201"))
        #expect(gate.tokens.made.isEmpty)
        #expect(gate.audit.durable.isEmpty)
    }
}

extension String {
    /// How often a text stands in this one.
    func components(of text: String) -> Int { ranges(of: text).count }
}
