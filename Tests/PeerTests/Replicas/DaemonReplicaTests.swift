// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// Two real daemons over one real database.
@Suite(.timeLimit(.minutes(20))) struct DaemonReplicaTests {
    /// Runs `body` with a database and two daemons that share it.
    private static func withTwo(
        _ server: PostgreSQLServer? = nil,
        _ body: (TollgateDaemon, TollgateDaemon, TestDatabase) async throws -> Void
    ) async throws {
        let shared = try await PostgreSQLServer.shared()
        let database = try await (server ?? shared).makeDatabase()
        try await DatabaseSupport.migrate(database)
        let (one, two) = (try daemon(database), try daemon(database, writer: "two"))
        try await one.running { _ in
            try await two.running { _ in try await body(one, two, database) }
        }
    }

    /// - Parameter writer: the name of its series of audit segments, which no other replica has.
    private static func daemon(_ database: TestDatabase, writer: String = "one") throws -> TollgateDaemon {
        try TollgateDaemon(
            manifests: ProxyContract.manifests,
            settings: [
                "TOLLGATE_DATABASE_URL": database.url, "TOLLGATE_WRITER": writer,
                // A credential is presented again and again until it is known, or is not any more.
                "TOLLGATE_AUTH_RATE_LIMIT_IP": "0", "TOLLGATE_AUTH_RATE_LIMIT_IDENTITY": "0",
            ])
    }

    private static func outcome(_ token: String, on daemon: TollgateDaemon) async throws -> String {
        let decision = try await daemon.decide(host: ProxyContract.host, path: "/reports/1", token: token)
        return decision["code"]?.stringValue ?? "allowed"
    }

    @Test func whatOneMakesAndRevokesIsKnownToTheOther() async throws {
        try await Self.withTwo { one, two, _ in
            for round in 0..<3 {
                let token = try await one.mintToken("t\(round)", scopes: ["tasks:read"])
                try await Eventually.holds("the token on the other replica") {
                    try await Self.outcome(token, on: two) == Self.outcome(token, on: one)
                }
                #expect(try await Self.outcome(token, on: two) != "auth.invalid_token")
                let revoked = try await one.call(
                    "POST", "/v1/service-tokens/t\(round)/revoke", body: .object(["reason": "over"]))
                #expect(revoked.status == 204)
                #expect(try await Self.outcome(token, on: one) == "auth.token_revoked")
                try await Eventually.holds("the revocation on the other replica") {
                    try await Self.outcome(token, on: two) == "auth.token_revoked"
                }
            }
        }
    }

    @Test func rolesThatAreChangedOverTheAPIAreTheSameOnBoth() async throws {
        try await Self.withTwo { one, two, _ in
            let role = JSONValue.object(["description": "Nights", "inherits": "viewer"])
            let path = "/v1/admin/policy/roles/night"
            let made = try await one.call("PUT", path, body: role)
            #expect(made.status == 200, "\(made.text)")
            try await Eventually.holds("the role on the other replica") {
                try await two.call("GET", path).status == 200
            }
            // A change of the other begins with what is in force now.
            let day = try await two.call("PUT", "/v1/admin/policy/roles/day", body: role)
            #expect(day.status == 200, "\(day.text)")
            try await Eventually.holds("both roles on the first replica") {
                for role in ["night", "day"] {
                    let answer = try await one.call("GET", "/v1/admin/policy/roles/\(role)")
                    if answer.status != 200 { return false }
                }
                return true
            }
            let status = try await two.call("GET", "/v1/admin/policy/status").json()
            #expect(status["source"] == "database", "\(status)")
        }
    }

    @Test func waitsForADatabaseThatIsAwayAndGoesOnWithoutOne() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await DatabaseSupport.migrate(database)
            await server.stop()
            let daemon = try Self.daemon(database)
            try await PeerProcess.with(
                name: "tollgate", executable: PeerPaths.tollgate(),
                arguments: ["run", "--manifests", daemon.folder.path("manifests")], environment: daemon.environment,
                folder: daemon.folder
            ) { process in
                try await process.wait(forStatus: 503, of: "/readyz", port: daemon.probePort, within: .seconds(120))
                let waiting = try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort)
                #expect(waiting.text.contains("[-]database failed: waiting for it"), "\(waiting.text)")
                #expect(try await PlainHTTP.send("GET", "/livez", port: daemon.probePort).status == 200)
                try await server.start()
                try await process.wait(forStatus: 200, of: "/readyz", port: daemon.probePort, within: .seconds(300))
                let token = try await daemon.mintToken("t", scopes: ["tasks:read"])
                let known = try await Self.outcome(token, on: daemon)
                await server.stop()
                // What is known decides, nothing is acknowledged, and the process stays ready and says what is wrong.
                #expect(try await Self.outcome(token, on: daemon) == known)
                let refused = try await daemon.call(
                    "POST", "/v1/service-tokens",
                    body: .object(["identifier": "u", "scopes": .strings(["tasks:read"])]))
                #expect(refused.status == 503, "\(refused.text)")
                // The trail may have noticed it first: it is in the database too.
                let code = try refused.json()["code"]?.stringValue ?? ""
                #expect(["auth.store_unavailable", "audit.unavailable"].contains(code), "\(refused.text)")
                try await Eventually.holds("the fault among the details") {
                    try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort).text
                        .contains("token_store degraded")
                }
                #expect(try await PlainHTTP.send("GET", "/readyz", port: daemon.probePort).status == 200)
                try await server.start()
                try await Eventually.holds("a token to be made again", within: .seconds(300)) {
                    try await daemon.call(
                        "POST", "/v1/service-tokens",
                        body: .object(["identifier": "u", "scopes": .strings(["tasks:read"])])
                    ).status == 201
                }
                let metrics = try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort).text
                for name in [
                    "silence_seconds", "change_lag_seconds", "changes_total", "reloads_total", "follow_failures_total",
                    "unreadable_total", "signal_up",
                ] { #expect(metrics.contains("# TYPE tollgate_store_\(name) "), "\(name)") }
            }
        }
    }
}
