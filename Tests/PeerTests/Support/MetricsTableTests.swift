// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport
internal import Testing

/// `docs/reference/metrics.md` and what a running daemon exports name the same metrics.
@Suite(.timeLimit(.minutes(10)))
struct MetricsTableTests {
    @Test func documentsWhatIsExported() async throws {
        let exported = try await PolicyEnginePeer.with { engine in
            try await RedisServer.with { redis in
                try await Self.exported([
                    "OPA_URL": engine.url, "REDIS_URL": redis.url, "STRIPE_API_KEY": "sk_test_none",
                    "STRIPE_METER_EVENT_NAME": "use",
                ])
            }
        }
        let document = try String(
            contentsOf: Repository.root.appending(path: "docs/reference/metrics.md"), encoding: .utf8)
        let documented = Set(
            document.split(separator: "\n").filter { $0.hasPrefix("| `") }
                .map { String($0.dropFirst(3).prefix { $0 != "`" }) })
        #expect(exported.subtracting(documented).sorted() == [], "exported and not documented")
        // The key sets of issuers are shown from the first issuer on, and this daemon has none; nor has it a cluster, a
        // shared database or an operator.
        let conditional: Set = [
            "tollgate_auth_jwks_fetch_total", "tollgate_auth_jwks_age_seconds", "rest_client_requests_total",
            "rest_client_request_duration_seconds", "tollgate_rls_enabled", "tollgate_postgresql_pool_size",
            "tollgate_postgresql_connections_open", "tollgate_postgresql_connections_in_use",
            "tollgate_postgresql_waiting", "tollgate_postgresql_wait_seconds",
            "tollgate_postgresql_transaction_seconds", "tollgate_postgresql_errors_total",
            "tollgate_upstream_polls_total", "tollgate_upstream_age_seconds", "tollgate_upstream_queue_depth",
            "tollgate_usage_queue_dead_total",
            "tollgate_self_pods", "tollgate_self_actions_total", "tollgate_self_suspended", "tollgate_replicas",
        ]
        let missing = documented.subtracting(exported).subtracting(conditional)
            .filter { !$0.hasPrefix("tollgate_store_") }
        #expect(missing.sorted() == [], "documented and not exported")
    }

    /// The names of the metrics of a daemon with those settings.
    private static func exported(_ settings: [String: String]) async throws -> Set<String> {
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests, settings: settings)
        return try await daemon.running { _ in
            // One question of each sort, for what has no value before.
            let token = try await daemon.mintToken("reader", scopes: ["tasks:read"])
            _ = try await daemon.decide(host: ProxyContract.host, path: "/reports/1", token: token)
            let answer = try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort)
            #expect(answer.status == 200)
            return Set(
                answer.text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
                    .map { String($0.split(separator: " ")[2]) })
        }
    }
}
