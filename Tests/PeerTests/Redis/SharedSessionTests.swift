// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// Sessions of the console at two daemons over one real Redis, and what becomes of them without it.
@Suite(.timeLimit(.minutes(15))) struct SharedSessionTests {
    private static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: console, namespace: default}
        spec: {hosts: [console.example], mode: required}
        """

    /// Two daemons that seal their sessions with one key.
    private static func running(
        _ redis: RedisServer, timeout: String,
        _ body: (TollgateDaemon, TollgateDaemon, PeerProcess) async throws -> Void
    ) async throws {
        let settings = [
            "REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": timeout,
            "TOLLGATE_SESSION_KEY": PaddedBase64.encode(Array(repeating: 9, count: 32)),
        ]
        let here = try TollgateDaemon(manifests: manifests, settings: settings)
        let there = try TollgateDaemon(manifests: manifests, settings: settings)
        try await here.running { process in
            try await there.running { _ in
                try await waits(for: "tollgate_redis_up", of: 1, at: [here, there])
                try await body(here, there, process)
            }
        }
    }

    private static func waits(for metric: String, of value: Double, at daemons: [TollgateDaemon]) async throws {
        for daemon in daemons {
            try await Eventually.holds("\(metric) to be \(value)") {
                let text = try await PlainHTTP.send("GET", "/metrics", port: daemon.probePort).text
                let line = text.split(separator: "\n").first { $0.hasPrefix(metric + " ") }
                return line.flatMap { Double($0.split(separator: " ")[1]) } == value
            }
        }
    }

    /// The line of `/readyz?verbose` on sessions.
    private static func line(_ daemon: TollgateDaemon) async throws -> String {
        let ready = try await PlainHTTP.send("GET", "/readyz?verbose", port: daemon.probePort)
        #expect(ready.status == 200, "\(ready.text)")
        return ready.text.split(separator: "\n").first { $0.contains("sessions") }.map(String.init) ?? ready.text
    }

    private static func begin(at daemon: TollgateDaemon) async throws -> ConsoleSession {
        try await ConsoleSession.begin(with: TollgateDaemon.adminToken, port: daemon.port)
    }

    @Test func oneDaemonKnowsTheSessionsOfTheOther() async throws {
        try await RedisServer.with { redis in
            try await Self.running(redis, timeout: "5s") { here, there, _ in
                let session = try await Self.begin(at: here)
                #expect(try await session.shown(port: there.port) == session.handle)
                let proof = try await session.ask("GET", "/v1/auth/session", port: there.port).json()["csrf_token"]
                #expect(proof?.stringValue == session.proof)
                #expect(try await Self.line(there).contains("degraded") == false)

                // Each post has to come from a page of the session, at each daemon.
                let strange = try await session.ask("POST", "/v1/auth/logout", port: there.port, isProven: false)
                #expect(strange.status == 403)
                #expect(try strange.json()["code"] == "auth.csrf")
                #expect(try await session.shown(port: here.port) == session.handle)

                let list = try await session.ask("GET", "/v1/auth/sessions", port: there.port).json()["sessions"]
                #expect(list?.arrayValue?.map { $0["handle"] } == [.string(session.handle)])
                #expect(try await session.ask("POST", "/v1/auth/logout", port: there.port).status == 200)
                #expect(try await session.shown(port: here.port) == "auth.session_expired")
                #expect(try await session.shown(port: there.port) == "auth.session_expired")

                // Nothing that Redis holds is a credential.
                let kept = try await Self.begin(at: here)
                let dump = try await redis.cli("KEYS", "*")
                let id = try #require(kept.cookie.split(separator: "=", maxSplits: 1).last)
                #expect(dump.contains("kc:session:") && !dump.contains(id))
                #expect(!dump.contains(TollgateDaemon.adminToken))
            }
        }
    }

    @Test func withoutRedisEachGoesOnWithWhatItKnows() async throws {
        try await RedisServer.with { redis in
            try await Self.running(redis, timeout: "5s") { here, there, process in
                let both = try await Self.begin(at: here)
                #expect(try await both.shown(port: there.port) == both.handle)
                try await redis.kill()
                try await Self.waits(for: "tollgate_redis_up", of: 0, at: [here, there])

                for daemon in [here, there] {
                    #expect(try await both.shown(port: daemon.port) == both.handle)
                    #expect(try await Self.line(daemon).contains("degraded"))
                }
                let fresh = try await Self.begin(at: here)
                #expect(try await fresh.shown(port: here.port) == fresh.handle)
                #expect(try await fresh.shown(port: there.port) == "auth.session_expired")
                try await Self.waits(for: "tollgate_session_store_degraded", of: 1, at: [here, there])
                #expect(process.output.ranges(of: "sessions are kept in memory").count == 1, "one warning")

                try await redis.restart()
                try await Self.waits(for: "tollgate_session_store_degraded", of: 0, at: [here, there])
                // What was begun meanwhile is written back; what only the lost Redis had is over.
                #expect(try await fresh.shown(port: there.port) == fresh.handle)
                for daemon in [here, there] {
                    #expect(try await both.shown(port: daemon.port) == "auth.session_expired")
                    #expect(try await Self.line(daemon).contains("degraded") == false)
                }
            }
        }
    }

    @Test func whoSignsOutWhileRedisHangsIsSignedOutEverywhere() async throws {
        try await RedisServer.with { redis in
            try await Self.running(redis, timeout: "500ms") { here, there, _ in
                let session = try await Self.begin(at: here)
                #expect(try await session.shown(port: there.port) == session.handle)
                redis.hang()
                #expect(try await session.ask("POST", "/v1/auth/logout", port: there.port).status == 200)
                #expect(try await session.shown(port: there.port) == "auth.session_expired")
                #expect(try await session.shown(port: here.port) == session.handle, "it has not heard of it")
                redis.wake()
                try await Self.waits(for: "tollgate_session_store_degraded", of: 0, at: [here, there])
                for daemon in [here, there] {
                    #expect(try await session.shown(port: daemon.port) == "auth.session_expired")
                }
            }
        }
    }
}
