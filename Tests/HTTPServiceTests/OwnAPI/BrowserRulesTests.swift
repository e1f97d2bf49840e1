// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import HTTPService
internal import HTTPTypes
internal import Testing

@Suite struct BrowserRulesTests {
    private let preflight = [
        ("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "POST"),
    ]

    @Test func everyAnswerHasTheSecurityHeaders() async throws {
        for path in ["/v1/auth/me", "/health", "/nothing"] {
            let reply = try await Gate().send(.get, path)
            #expect(reply["X-Content-Type-Options"] == "nosniff")
            #expect(reply["X-Frame-Options"] == "DENY")
            #expect(reply["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'")
            #expect(reply["Referrer-Policy"] == "no-referrer")
            #expect(reply["Strict-Transport-Security"] == nil)
        }
    }

    @Test func allowsNoOriginByDefault() async throws {
        let gate = Gate()
        let reply = try await gate.send(.options, "/v1/service-tokens", preflight)
        #expect(reply.status == 204)
        #expect(reply["Access-Control-Allow-Origin"] == nil)
        #expect(gate.decider.own.isEmpty)
    }

    @Test func echoesAnAllowedOrigin() async throws {
        var gate = Gate()
        gate.settings.corsOrigins = ["https://app.example.com"]
        let reply = try await gate.send(.options, "/v1/service-tokens", preflight)
        #expect(reply["Access-Control-Allow-Origin"] == "https://app.example.com")
        #expect(reply["Access-Control-Max-Age"] == "600")
        #expect(reply["Vary"] == "Origin")
        let simple = try await gate.send(.get, "/v1/auth/me", [("Origin", "https://app.example.com")])
        #expect(simple["Access-Control-Allow-Origin"] == "https://app.example.com")
        #expect(simple["Access-Control-Allow-Credentials"] == "true")
        #expect(simple["Access-Control-Expose-Headers"]?.contains("WWW-Authenticate") == true)
        let other = try await gate.send(.get, "/v1/auth/me", [("Origin", "https://app.example.com:8443")])
        #expect(other["Access-Control-Allow-Origin"] == nil)
        #expect(other["Vary"] == "Origin")
    }

    @Test func allowsEverybodyOnlyWithoutCredentials() async throws {
        var gate = Gate()
        gate.settings.corsOrigins = ["*"]
        let preflight = try await gate.send(.options, "/v1/service-tokens", preflight)
        #expect(preflight["Access-Control-Allow-Origin"] == "*")
        #expect(preflight["Access-Control-Allow-Credentials"] == nil)
        let reply = try await gate.send(.get, "/v1/auth/me", [("Origin", "https://x.example")])
        #expect(reply["Access-Control-Allow-Origin"] == "*")
        #expect(reply["Access-Control-Allow-Credentials"] == nil)
    }
}
