// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// The daemon with its decisions made by a policy engine outside of it: right answers, and every way in which there may be none.
@Suite(.timeLimit(.minutes(10))) struct PolicyEngineTests {
    /// What is asked about: the reader holds `tasks:read`, so the second is refused.
    private static let permitted = "/reports/1"
    private static let forbidden = "/vault/x"

    private static func daemon(_ engine: PolicyEnginePeer, _ settings: [String: String] = [:]) throws -> TollgateDaemon
    {
        try TollgateDaemon(
            manifests: ProxyContract.manifests,
            settings: ["OPA_URL": engine.url, "OPA_CACHE_TTL": "0", "OPA_TIMEOUT": "10"].merging(settings) { $1 })
    }

    /// `200`, or status and code of the refusal.
    private static func outcome(_ daemon: TollgateDaemon, _ path: String, _ token: String) async throws -> String {
        let answer = try await PlainHTTP.send(
            "GET", "/v1/forward-auth/traefik", port: daemon.port,
            headers: [
                ("X-Forwarded-Method", "GET"), ("X-Forwarded-Host", ProxyContract.host), ("X-Forwarded-Uri", path),
                ("Authorization", "Bearer \(token)"),
            ])
        return answer.value("X-Auth-Reason").map { "\(answer.status) \($0)" } ?? "\(answer.status)"
    }

    private static func metric(_ daemon: TollgateDaemon, _ line: String) async throws -> String? {
        try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort).text.split(separator: "\n")
            .first { $0.hasPrefix(line + " ") }.map { String($0.dropFirst(line.count + 1)) }
    }

    private static func readiness(_ daemon: TollgateDaemon) async throws -> String {
        try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort).text
    }

    @Test func theEngineDecides() async throws {
        try await PolicyEnginePeer.with { engine in
            let daemon = try Self.daemon(engine)
            try await daemon.running { _ in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                let before = try await engine.stats().questions
                let allowed = try await daemon.decide(host: ProxyContract.host, path: Self.permitted, token: token)
                #expect(allowed["decision"] == "allow")
                #expect(allowed["policy"]?["mode"] == "sidecar")
                #expect(allowed["policy"]?["reasons"] == [])
                let denied = try await daemon.decide(host: ProxyContract.host, path: Self.forbidden, token: token)
                #expect(denied["decision"] == "deny")
                #expect(denied["code"] == "policy.scope_denied")
                #expect(denied["policy"]?["reasons"] == ["token scope does not permit action"])
                // Two calls of the own API and what each asked about.
                #expect(try await engine.stats().questions == before + 4)
                #expect(try await Self.readiness(daemon).contains("sidecar, up, breaker closed"))
                #expect(try await Self.metric(daemon, "tollgate_opa_up") == "1")
            }
        }
    }

    @Test func connectionsAreKeptAndAnswersToo() async throws {
        try await PolicyEnginePeer.with { engine in
            let daemon = try Self.daemon(engine, ["OPA_CACHE_TTL": "1h"])
            try await daemon.running { _ in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                let before = try await engine.stats()
                for _ in 0..<20 { #expect(try await Self.outcome(daemon, Self.permitted, token) == "200") }
                let after = try await engine.stats()
                #expect(after.questions == before.questions + 1)
                for number in 0..<20 {
                    #expect(try await Self.outcome(daemon, "/v\(number)", token) == "403 policy.route_unmapped")
                    #expect(try await Self.outcome(daemon, Self.forbidden, token) == "403 policy.scope_denied")
                }
                #expect(try await engine.stats().questions == after.questions + 1)
                #expect(try await engine.stats().connections <= 4)
                #expect(try await Self.metric(daemon, #"tollgate_opa_cache_total{result="hit"}"#) == "38")
            }
        }
    }

    @Test func aBooleanReplacesTheRoleCheckOnly() async throws {
        try await PolicyEnginePeer.with { engine in
            let daemon = try Self.daemon(engine, ["OPA_AUTHZ_PATH": "/v1/data/authz/allow"])
            try await daemon.running { _ in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                #expect(try await Self.outcome(daemon, Self.permitted, token) == "200")
                #expect(try await Self.outcome(daemon, Self.forbidden, token) == "403 policy.scope_denied")
                try await engine.misbehave(["body": #"{"result": false}"#])
                #expect(try await Self.outcome(daemon, Self.permitted, token) == "403 policy.permission_denied")
                try await engine.misbehave(["body": #"{"result": true}"#])
                #expect(try await Self.outcome(daemon, Self.forbidden, token) == "403 policy.scope_denied")
            }
        }
    }

    /// What goes wrong, and whether `OPA_FAIL_OPEN` covers it.
    private static let faults: [(fault: JSONValue, failsOpen: Bool)] = [
        (["status": 500], true), (["status": 503], true), (["close": true], true), (["delay": 60], true),
        (["status": 400], false), (["status": 404], false), (["body": "<html>"], false), (["body": "{}"], false),
        (["body": #"{"result": {"allow": true}}"#], false), (["bytes": 70_000], false),
    ]

    @Test(arguments: [false, true]) func whatGoesWrongRefusesUnlessItMayPass(failsOpen: Bool) async throws {
        try await PolicyEnginePeer.with { engine in
            let daemon = try Self.daemon(engine, ["OPA_FAIL_OPEN": "\(failsOpen)", "OPA_TIMEOUT": "8"])
            try await daemon.running { process in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                for (fault, mayPass) in Self.faults {
                    try await engine.misbehave(fault)
                    let passes = failsOpen && mayPass
                    let comment = Comment(rawValue: fault.jsonText)
                    #expect(
                        try await Self.outcome(daemon, Self.permitted, token)
                            == (passes ? "200" : "503 policy.unavailable"), comment)
                    #expect(
                        try await Self.outcome(daemon, Self.forbidden, token)
                            == (passes ? "403 policy.scope_denied" : "503 policy.unavailable"), comment)
                    // The own API never fails open.
                    let own = try await daemon.call("GET", "/v1/service-tokens")
                    #expect(own.status == 503, comment)
                    #expect(try own.json()["code"] == "policy.unavailable", comment)
                    // Four of five failures in a row: an answer breaks the row.
                    try await engine.misbehave([:])
                    #expect(try await Self.outcome(daemon, Self.permitted, token) == "200", comment)
                }
                let opened = failsOpen ? Self.faults.filter(\.failsOpen).count : 0
                #expect(try await Self.metric(daemon, "tollgate_policy_fail_open_total") == "\(opened)")
                #expect(process.output.contains("OPA_FAIL_OPEN") == failsOpen)
                let entries = try await daemon.call("GET", "/v1/audit/events?action=decision.check&limit=200").text
                #expect(entries.contains("policy engine unavailable") == failsOpen)
            }
        }
    }

    @Test(arguments: [false, true]) func aHungEngineIsItsOwnFailureAndNotTheDecisions(failsOpen: Bool) async throws {
        try await PolicyEnginePeer.with { engine in
            let daemon = try Self.daemon(
                engine, ["OPA_FAIL_OPEN": "\(failsOpen)", "TOLLGATE_DECISION_TIMEOUT": "8s", "OPA_TIMEOUT": "30s"])
            try await daemon.running { _ in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                try await engine.misbehave(["delay": 60])
                let outcome = try await Self.outcome(daemon, Self.permitted, token)
                #expect(outcome == (failsOpen ? "200" : "503 policy.unavailable"))
            }
        }
    }

    @Test func anEngineThatDiesIsMissedAndFoundAgain() async throws {
        let port = try FreePort.next()
        let folder = try TemporaryDirectory()
        try await PolicyEnginePeer.with(port: port, folder: folder) { engine in
            let daemon = try Self.daemon(engine)
            try await daemon.running { process in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                #expect(try await Self.outcome(daemon, Self.permitted, token) == "200")
                try await engine.process.killNow()
                for _ in 0..<6 {
                    #expect(try await Self.outcome(daemon, Self.permitted, token) == "503 policy.unavailable")
                }
                #expect(try await Self.metric(daemon, "tollgate_opa_up") == "0")
                #expect(try await Self.metric(daemon, "tollgate_opa_breaker_state") == "2")
                #expect(try await Self.readiness(daemon).contains("breaker open"))
                #expect(try await PlainHTTP.send("GET", "/readyz", port: daemon.probePort).status == 200)
                try await PolicyEnginePeer.with(port: port, folder: folder) { _ in
                    try await process.wait(for: "the engine to be found again", within: .seconds(120)) {
                        try await Self.outcome(daemon, Self.permitted, token) == "200"
                    }
                    #expect(try await Self.metric(daemon, "tollgate_opa_breaker_state") == "0")
                }
            }
        }
    }

    @Test func inTheProcessWinsOverAnAddress() async throws {
        try await PolicyEnginePeer.with { engine in
            let daemon = try Self.daemon(engine, ["OPA_LOCAL_MODE": "true"])
            try await daemon.running { _ in
                let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
                let decision = try await daemon.decide(host: ProxyContract.host, path: Self.permitted, token: token)
                #expect(decision["policy"]?["mode"] == "local")
                #expect(try await engine.stats().questions == 0)
                #expect(try await Self.readiness(daemon).contains("in the process"))
            }
        }
    }
}
