// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// Real processes of one role each.
@Suite(.timeLimit(.minutes(30))) struct RoleDaemonTests {
    @Test func whatTheApiTakesTheWorkerApplies() async throws {
        let pair = try RolePair.embedded()
        try await pair.running { _, worker in
            let event = RoleStorm.event("one")
            let first = try await pair.api.call("POST", "/v1/usage/events", body: event)
            #expect(first.status == 202)
            let result = try first.json()["results"]?.arrayValue?.first
            #expect(result?["status"] == "accepted", "\(first.text)")
            #expect(result?["charge_micro_credits"] == nil, "it is not rated yet")
            try await Eventually.holds("the event to be applied") {
                try await pair.recorded(RoleStorm.account) == ["one"]
            }
            let again = try await pair.api.call("POST", "/v1/usage/events", body: event)
            #expect(try again.json()["duplicates"] == 1, "\(again.text)")
            var unknown = event.objectValue ?? [:]
            unknown["id"] = "two"
            unknown["data"] = ["model": "nobody-knows", "input": 1]
            let refused = try await pair.api.call("POST", "/v1/usage/events", body: .object(unknown))
            #expect(refused.status == 422)
            #expect(try refused.json()["code"] == "billing.unknown_model")

            #expect(try await pair.workerMetric("tollgate_usage_queue_lag_seconds") != nil)
            #expect(try await pair.workerMetric("tollgate_devnet") == 0)
            let port = pair.worker.probePort
            #expect(try await PlainHTTP.send("GET", "/livez", port: port).status == 200)
            #expect(try await PlainHTTP.send("GET", "/v1/billing/plans", port: port).status == 404)
            let ready = try await PlainHTTP.send("GET", "/readyz?verbose", port: port)
            #expect(ready.text.contains("[+]work ok"), "\(ready.text)")
            #expect(await worker.end(), "it ends by itself")
            #expect(worker.exitStatus == 0)
            #expect(worker.output.contains("draining"))
        }
    }

    @Test(arguments: [
        ("all", "TOLLGATE_DATA_DIR: another tollgate process holds PATH. Stop it or name another directory.", 1),
        (
            "api",
            "TOLLGATE_ROLE: another tollgate process of role api holds PATH. Stop it, give this one another role, or name another directory in TOLLGATE_DATA_DIR.",
            1
        ),
        (
            "controller",
            "TOLLGATE_ROLE: controller needs a database that all processes share: set TOLLGATE_DATABASE_URL, or use all, or one api and one worker over one data directory",
            2
        ),
    ])
    func refusesBesideAnApi(_ role: String, _ message: String, _ status: Int32) async throws {
        let pair = try RolePair.embedded()
        let path = pair.api.folder.path("data")
        let other = try TollgateDaemon(
            manifests: "", settings: ["TOLLGATE_DATA_DIR": path, "TOLLGATE_ROLE": role])
        try await pair.api.running { _ in
            let ended = try await other.command(["run", "--manifests", other.folder.path("manifests")])
            #expect(ended.status == status)
            #expect(ended.output.contains(message.replacing("PATH", with: path)), "\(ended.output)")
        }
    }

    @Test(arguments: ["api", "worker"])
    func countsOnceWhateverIsKilledOverOneDirectory(_ killed: String) async throws {
        let pair = try RolePair.embedded()
        try await Self.storm(pair, killed: killed)
    }

    @Test(arguments: ["api", "worker"])
    func countsOnceWhateverIsKilledOverPostgreSQLAndRedis(_ killed: String) async throws {
        let database = try await DatabaseSupport.migrated()
        try await RedisServer.with { redis in
            try await Self.storm(try RolePair.shared(database, redis), killed: killed, redis: redis)
        }
    }

    /// Kills one of the two in the middle of a storm, and Redis as well where there is one; then everything that was acknowledged is counted
    /// exactly once.
    private static func storm(_ pair: RolePair, killed: String, redis: RedisServer? = nil) async throws {
        let storm = RoleStorm()
        let (victim, other) = killed == "api" ? (pair.api, pair.worker) : (pair.worker, pair.api)
        try await other.running { _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await storm.send(to: pair.api) }
                group.addTask {
                    try await victim.running { process in
                        try await storm.reaches(RoleStorm.total / 5)
                        try await process.killNow()
                    }
                    try await victim.running { process in
                        try await redis?.kill()
                        try await storm.reaches(RoleStorm.total * 3 / 5)
                        try await redis?.restart()
                        try await storm.reaches(RoleStorm.total)
                        try await isCountedOnce(pair)
                        #expect(process.exitStatus == nil)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func isCountedOnce(_ pair: RolePair) async throws {
        // What a killed worker had in its hands is its own for a minute.
        try await Eventually.holds("all usage to be counted") {
            // An api that was killed a moment ago may still be busy.
            try await pair.counted(RoleStorm.account).requests >= Int64(RoleStorm.total)
        }
        try await Eventually.holds("nothing to wait any more") {
            try await pair.workerMetric("tollgate_usage_queue_lag_seconds") == 0
        }
        let ids = try await pair.recorded(RoleStorm.account)
        #expect(ids.count == RoleStorm.total)
        #expect(Set(ids).count == ids.count)
        let counted = try await pair.counted(RoleStorm.account)
        #expect(counted.requests == Int64(RoleStorm.total))
        #expect(counted.tokens == Int64(RoleStorm.total) * RoleStorm.tokens)
        #expect(try await pair.workerMetric("tollgate_usage_dead_total") == 0)
    }
}
