// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Pipeline
internal import TestSupport
internal import Testing

/// How the doors tell request limits.
@Suite struct RateLimitAnswerTests {
    private static let forwarded = [
        ("X-Forwarded-Method", "GET"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "api.example.com"),
        ("X-Forwarded-Uri", "/v1/x"), ("X-Original-Method", "GET"), ("X-Original-URL", "https://api.example.com/v1/x"),
    ]

    private static func report(remaining: Int64) -> RateLimitReport {
        let minute = RateLimitReport.Window(name: .minute, limit: 30, remaining: remaining, reset: 1_772_366_460)
        let hour = RateLimitReport.Window(name: .hour, limit: 500, remaining: 470, reset: 1_772_370_000)
        return RateLimitReport(windows: [minute, hour], told: minute, now: 1_772_366_400)
    }

    private static let headers = [
        "X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29", "X-RateLimit-Reset": "1772366460",
        "X-RateLimit-Limit-Minute": "30", "X-RateLimit-Remaining-Minute": "29", "X-RateLimit-Limit-Hour": "500",
        "X-RateLimit-Remaining-Hour": "470", "RateLimit-Policy": "\"minute\";q=30;w=60, \"hour\";q=500;w=3600",
        "RateLimit": "\"minute\";r=29;t=60",
    ]

    private static func gate(_ remaining: Int64?, refusing: Bool = false) -> Gate {
        Gate.behindProxy(
            FakeDecider { input in
                var decision = FakeDecider.allowed(input)
                decision.limits = remaining.map(report)
                if refusing { decision.refusal = Refusal(.rateLimited, retryAfterSeconds: 50) }
                return decision
            })
    }

    @Test(arguments: ["/v1/forward-auth/nginx", "/v1/forward-auth/traefik", "/v1/forward-auth/envoy/v1/x"])
    func allowedAnswersTellTheWindows(_ path: String) async throws {
        let reply = try await Self.gate(29).send(.get, path, Self.forwarded)
        #expect(reply.status == 200)
        for (name, value) in Self.headers { #expect(reply[name] == value, "\(name)") }
        #expect(reply["X-RateLimit-Limit-Day"] == nil)
        #expect(reply["X-Tollgate-Subject"] == "ci")
        let without = try await Self.gate(nil).send(.get, path, Self.forwarded)
        for name in RateLimitReport.headerNames { #expect(without[name] == nil) }
    }

    @Test func refusedAnswersTellTheRealStatusAndTheWait() async throws {
        for (path, status) in [("/v1/forward-auth/nginx", 403), ("/v1/forward-auth/traefik", 429)] {
            let reply = try await Self.gate(0, refusing: true).send(.get, path, Self.forwarded)
            #expect(reply.status == status)
            #expect(reply.code == "rate.limited")
            #expect(reply.message == "Rate limit exceeded")
            #expect(reply["X-Auth-Status"] == "429")
            #expect(reply["Retry-After"] == "50")
            #expect(reply["X-RateLimit-Remaining"] == "0")
            #expect(reply["RateLimit"] == "\"minute\";r=0;t=60")
        }
    }

    @Test(arguments: [false, true]) func theDecisionsAPITellsTheWindows(_ refusing: Bool) async throws {
        let body = #"{"request":{"method":"GET","host":"api.example.com","path":"/x"}}"#
        let reply = try await Self.gate(29, refusing: refusing).send(.post, "/v1/decisions", body: body)
        #expect(reply.status == 200)
        #expect(
            reply.json["limits"] == [
                ["window": "minute", "limit": 30, "remaining": 29, "reset": 1_772_366_460],
                ["window": "hour", "limit": 500, "remaining": 470, "reset": 1_772_370_000],
            ])
        for (name, value) in Self.headers {
            #expect(reply.json["response_headers"]?[name]?.stringValue == value, "\(name)")
        }
        #expect(reply.json["response_headers"]?["Retry-After"]?.stringValue == (refusing ? "50" : nil))
        let without = try await Self.gate(nil).send(.post, "/v1/decisions", body: body)
        #expect(without.json["limits"] == [])
        #expect(without.json["response_headers"] == [:])
    }
}
