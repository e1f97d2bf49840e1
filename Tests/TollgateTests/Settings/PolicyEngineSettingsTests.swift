// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import HTTPService
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// Where policy questions are answered, by the settings.
@Suite struct PolicyEngineSettingsTests {
    private static func load(_ environment: [String: String]) throws -> TollgateSettings {
        var environment = environment
        environment["HOME"] = "/home/test"
        return try TollgateSettings.load(
            SettingsSources(environment: environment), host: HostFacts(hostName: "host", workingDirectory: "/"))
    }

    @Test(
        arguments: [
            ([:], nil),
            (["OPA_LOCAL_MODE": "true"], nil),
            (["OPA_LOCAL_MODE": "true", "OPA_URL": "http://localhost:8181"], nil),
            (["OPA_LOCAL_MODE": "false"], "http://localhost:8181/v1/data/tollgate/decision"),
            (["OPA_URL": "https://opa.example/"], "https://opa.example/v1/data/tollgate/decision"),
            (
                ["OPA_LOCAL_MODE": "no", "OPA_URL": "http://[::1]:9/opa/"],
                "http://[::1]:9/opa/v1/data/tollgate/decision"
            ),
            (
                ["OPA_URL": "http://127.0.0.1:8181", "OPA_AUTHZ_PATH": "/v1/data/authz/allow"],
                "http://127.0.0.1:8181/v1/data/authz/allow"
            ),
        ] as [([String: String], String?)])
    func whereQuestionsGo(environment: [String: String], endpoint: String?) throws {
        #expect(try Self.load(environment).policyEngine?.endpoint == endpoint)
    }

    @Test func defaultsAreThoseOfTheTable() throws {
        #expect(try Self.load(["OPA_LOCAL_MODE": "false"]).policyEngine == OPAClientSettings())
    }

    @Test(arguments: [
        ("2", Duration.seconds(2)), ("0.25", .milliseconds(250)), ("150ms", .milliseconds(150)), ("60", .seconds(60)),
    ])
    func aBareNumberIsSeconds(text: String, duration: Duration) throws {
        #expect(try Self.load(["OPA_LOCAL_MODE": "false", "OPA_TIMEOUT": text]).policyEngine?.timeout == duration)
    }

    @Test func noughtTurnsTheCacheOff() throws {
        #expect(try Self.load(["OPA_LOCAL_MODE": "false", "OPA_CACHE_TTL": "0"]).policyEngine?.cacheLifetime == .zero)
    }

    @Test(arguments: [
        ("OPA_LOCAL_MODE", "maybe"), ("OPA_URL", "opa.example"), ("OPA_URL", "ftp://opa.example"),
        ("OPA_URL", "http://user@opa.example"), ("OPA_URL", "http://opa.example?x=1"), ("OPA_AUTHZ_PATH", "v1//data"),
        ("OPA_AUTHZ_PATH", "v1/../data"), ("OPA_AUTHZ_PATH", "v1/data?x"), ("OPA_AUTHZ_PATH", "v1/da ta"),
        ("OPA_AUTHZ_PATH", "/"), ("OPA_TIMEOUT", "0"), ("OPA_TIMEOUT", "61s"), ("OPA_TIMEOUT", "-1"),
        ("OPA_CACHE_TTL", "2h"), ("OPA_FAIL_OPEN", "perhaps"),
    ])
    func aBadValueStopsTheStart(name: String, value: String) {
        let error = #expect(throws: SettingsError.self) { try Self.load([name: value]) }
        #expect(error?.problems.map(\.setting) == [name])
    }

    @Test(
        arguments: [
            (["OPA_URL": "http://opa.example"], ["OPA_URL"]), (["OPA_URL": "https://opa.example"], []),
            (["OPA_URL": "http://localhost:1"], []), (["OPA_URL": "http://127.0.0.9:1"], []),
            (["OPA_FAIL_OPEN": "true"], []), (["OPA_LOCAL_MODE": "false", "OPA_FAIL_OPEN": "true"], ["OPA_FAIL_OPEN"]),
            (["OPA_LOCAL_MODE": "true", "OPA_URL": "http://opa.example"], []),
        ] as [([String: String], [String])])
    func whatIsUnsafeIsNamed(environment: [String: String], settings: [String]) throws {
        #expect(try Self.load(environment).notes.filter { $0.kind == .unsafe }.map(\.setting) == settings)
    }

    @Test func readinessSaysWhereQuestionsAreAnswered() {
        func line(_ isUp: Bool?, _ breaker: String, _ failure: String?, failsOpen: Bool = false) -> String {
            let check = PolicyEngineCheck.check(
                .init(isUp: isUp, breaker: breaker, lastFailure: failure), failsOpen: failsOpen)
            return "\(check.status.rawValue) \(check.detail)"
        }
        #expect(PolicyEngineCheck.check(nil).detail == "in the process")
        #expect(line(nil, "closed", nil) == "ok sidecar, not asked yet, breaker closed")
        #expect(line(true, "closed", nil, failsOpen: true) == "ok sidecar, up, breaker closed; fails open")
        #expect(line(false, "open", "no connection") == "degraded sidecar, down, breaker open: no connection")
        #expect(line(true, "closed", "status 404") == "degraded sidecar, up, breaker closed: status 404")
    }
}
