// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// The real server, asked by gateways about hosts whose routes cost something: what a decision takes stands in the ledger.
@Suite(.timeLimit(.minutes(10)))
struct MeteredDecisionTests {
    private static let host = "metered.acme.example"
    private static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: metered, namespace: acme}
        spec:
          hosts: [metered.acme.example]
          mode: required
          serviceTokens: true
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: /task, authenticated: true, metering: {action: task}}
              - methods: [GET]
                path: /chat
                authenticated: true
                metering: {action: tokens, model: gpt-4o-mini, estimate: {input: 1200, maxOutput: 800}, microCreditsPerRequest: 1000}
              - {methods: [GET], path: /dear, authenticated: true, metering: {action: none, microCreditsPerRequest: 100000001}}
        """

    /// Runs the server, with a service token of the tenant: its account is on the fallback plan, which limits no requests without a key.
    private static func running(_ body: (TollgateDaemon, String) async throws -> Void) async throws {
        let daemon = try TollgateDaemon(
            manifests: manifests, settings: ["TOLLGATE_NAMESPACE_TENANTS": "acme=acme"])
        try await daemon.running { _ in
            let made = try await daemon.call(
                "POST", "/v1/service-tokens",
                body: ["identifier": "caller", "tenant_id": "acme", "scopes": ["tasks:read"]])
            let secret = try made.json()["secret"]?.stringValue
            try await body(daemon, try #require(secret, "\(made.text)"))
        }
    }

    @Test func aCallIsHeldAtTheDecisionAndCommittedAfterwards() async throws {
        try await Self.running { daemon, token in
            let decision = try await daemon.decide(host: Self.host, path: "/chat", token: token)
            #expect(decision["decision"] == "allow", "\(decision)")
            #expect(decision["reservation"]?["held_micro_credits"] == 66_000)
            #expect(decision["headers"]?["X-Tollgate-Plan"] == "free")
            #expect(decision["headers"]?["X-Tollgate-Credits-Remaining"] == "99.933")
            let id = try #require(decision["reservation"]?["id"]?.stringValue)
            let commit = try await daemon.call(
                "POST", "/v1/billing/reservations/\(id)/commit?account=acme",
                body: ["usage": ["model": "gpt-4o-mini", "input": 1200, "output": 612]])
            #expect(commit.status == 200, "\(commit.text)")
            let credits = try await daemon.call("GET", "/v1/billing/credits?account=acme").json()
            #expect(credits["balance_micro_credits"] == .int(100_000_000 - 1000 - 54_700))
            #expect(credits["held_micro_credits"] == 0)
            let refused = try await daemon.decide(host: Self.host, path: "/dear", token: token)
            #expect(refused["decision"] == "deny")
            #expect(refused["code"] == "billing.insufficient_credits")
            #expect(refused["status"] == 402)
            #expect(refused["details"]?["upgrade"]?["plan"] == "pro")
            let after = try await daemon.call("GET", "/v1/billing/credits?account=acme").json()
            #expect(after["balance_micro_credits"] == credits["balance_micro_credits"])
        }
    }

    /// The plan has a hundred tasks: of a hundred and twenty at once exactly a hundred pass.
    @Test func tasksAreCountedExactly() async throws {
        try await Self.running { daemon, token in
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<120 {
                    group.addTask {
                        let decision = try await daemon.decide(host: Self.host, path: "/task", token: token)
                        return decision["code"]?.stringValue ?? decision["decision"]?.stringValue ?? ""
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(answers == ["allow": 100, "billing.task_limit_reached": 20])
            let usage = try await daemon.call("GET", "/v1/billing/usage?account=acme").json()
            #expect(usage["tasks_used"] == 100)
        }
    }
}
