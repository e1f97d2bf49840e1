// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import TestSupport
internal import Testing

@Suite struct HTTPMetricsTests {
    /// The series of `tollgate_http_requests_total` that are not zero, with their values.
    private static func counted(_ gate: Gate) -> [String: String] {
        var found: [String: String] = [:]
        for line in lines(gate) {
            let parts = line.split(separator: " ")
            guard parts.count == 2, parts[1] != "0" else { continue }
            found[String(parts[0].dropFirst("tollgate_http_requests_total{".count).dropLast())] = String(parts[1])
        }
        return found
    }

    private static func lines(_ gate: Gate) -> [String] {
        String(decoding: gate.registry.text(), as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("tollgate_http_requests_total{") }
    }

    @Test func countsOwnRoutesByTheirPattern() async throws {
        let gate = Gate()
        for name in ["a", "b"] { _ = try await gate.send(.get, "/v1/service-tokens/\(name)") }
        _ = try await gate.send(.head, "/v1/service-tokens/a")
        _ = try await gate.send(.get, "/v1/service-tokens")
        _ = try await gate.send(.get, "/v1/service-tokens?sort=up")
        _ = try await gate.send(.post, "/v1/service-tokens", body: #"{"identifier":"ci"}"#)
        #expect(
            Self.counted(gate) == [
                #"route="/v1/service-tokens/{id}",method="GET",code="200""#: "2",
                #"route="/v1/service-tokens/{id}",method="HEAD",code="200""#: "1",
                #"route="/v1/service-tokens",method="GET",code="200""#: "1",
                #"route="/v1/service-tokens",method="GET",code="400""#: "1",
                #"route="/v1/service-tokens",method="POST",code="201""#: "1",
            ])
    }

    @Test func neverNamesAPathOrAMethodThatWasMadeUp() async throws {
        let gate = Gate()
        for number in 0..<50 { _ = try await gate.send(.get, "/secret/\(number)") }
        _ = try await gate.send(try #require(HTTPRequest.Method(rawValue: "BREW")), "/v1/service-tokens")
        _ = try await gate.send(.get, "/v1/me", [("Host", "second.example")])
        let counted = Self.counted(gate)
        #expect(counted[#"route="other",method="GET",code="404""#] == "50")
        #expect(counted[#"route="other",method="other",code="405""#] == "1")
        #expect(!Self.lines(gate).contains { $0.contains("secret") || $0.contains("BREW") })
    }

    @Test func countsWhoIsRefusedAtTheRoute() async throws {
        let decider = FakeDecider(admit: { request in
            .refused(
                Refusal(.authMissingToken), principal: .anonymous, action: "test.action", route: nil,
                canonicalPath: String(request.target))
        })
        let gate = Gate(decider: decider)
        _ = try await gate.send(.get, "/v1/service-tokens/a")
        _ = try await gate.send(.get, "/nowhere")
        _ = try await gate.send(.post, "/v1/decisions", body: "{}")
        #expect(
            Self.counted(gate) == [
                #"route="/v1/service-tokens/{id}",method="GET",code="401""#: "1",
                #"route="other",method="GET",code="401""#: "1",
                #"route="/v1/decisions",method="POST",code="401""#: "1",
            ])
    }

    @Test func countsTheDoorsOfDecisions() async throws {
        let gate = Gate.behindProxy(FakeDecider(decide: FakeDecider.refused(Refusal(.decisionNotReady))))
        let forwarded = [
            ("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", "api.example.com"), ("X-Forwarded-Uri", "/v1/x"),
            ("X-Forwarded-For", "203.0.113.7"), ("X-Original-Method", "GET"),
            ("X-Original-URL", "https://api.example.com/v1/x"),
        ]
        let statuses = [
            try await gate.send(.get, "/v1/forward-auth/traefik", forwarded).status,
            try await gate.send(.get, "/v1/forward-auth", forwarded).status,
        ]
        #expect(statuses == [503, 503])
        _ = try await gate.send(.post, "/v1/forward-auth/envoy/v1/x/9")
        _ = try await gate.send(
            .post, "/v1/decisions",
            body: #"{"request":{"method":"GET","host":"a.example","path":"/x"},"credential":"t"}"#)
        let counted = Self.counted(gate)
        #expect(counted[#"route="/v1/forward-auth/traefik",method="GET",code="503""#] == "1")
        #expect(counted[#"route="/v1/forward-auth",method="GET",code="503""#] == "1")
        #expect(counted.keys.contains { $0.hasPrefix(#"route="/v1/forward-auth/envoy/{path}",method="POST""#) })
        #expect(counted[#"route="/v1/decisions",method="POST",code="503""#] == "1")
        #expect(counted.count == 4)
    }

    /// A rate begins with the second sample: the first failure of a route must be one, and a route that only fails has no successes.
    @Test func showsFailuresAtZeroBeforeTheyCome() async throws {
        let gate = Gate()
        #expect(Self.lines(gate) == [])
        _ = try await gate.send(.get, "/v1/service-tokens")
        let place = #"tollgate_http_requests_total{route="/v1/service-tokens",method="GET",code="#
        #expect(Self.lines(gate) == ["\(place)\"200\"} 1", "\(place)\"500\"} 0", "\(place)\"503\"} 0"])
    }

    @Test func probesAreNoPartOfTheService() async throws {
        let gate = Gate(duties: .probes)
        for path in ["/livez", "/readyz", "/metrics", "/nowhere"] { _ = try await gate.send(.get, path) }
        #expect(Self.counted(gate) == [:])
        let api = Gate()
        for path in ["/health", "/livez", "/readyz"] { _ = try await api.send(.get, path) }
        #expect(Self.counted(api) == [:])
    }

    @Test func auditTimesHaveTheBucketsThatRulesRelyOn() {
        let registry = PrometheusRegistry()
        for name in ["autoheal_audit_write_seconds", "autoheal_action_duration_seconds", "tollgate_decision_seconds"] {
            _ = registry.makeTimer(label: name, dimensions: [])
        }
        let text = String(decoding: registry.text(), as: UTF8.self)
        func bounds(_ name: String) -> [Substring] {
            text.split(separator: "\n").filter { $0.hasPrefix("\(name)_bucket") }
                .map { $0.split(separator: "\"")[1] }
        }
        #expect(
            bounds("autoheal_audit_write_seconds") == [
                "0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "+Inf",
            ])
        #expect(bounds("autoheal_action_duration_seconds").suffix(3) == ["300", "600", "+Inf"])
        #expect(bounds("tollgate_decision_seconds").first == "0.00005")
    }
}
