// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

extension RealCluster {
    /// Three replicas over one database: what one was told, all know, and no fault of one is seen from outside.
    ///
    /// `TOLLGATE_REPLICA_REVOCATIONS` says how many revocations are timed, and has them judged (20 without judgement; `make soak` 1000).
    @Suite(.serialized) struct ReplicaTests {}
}

extension RealCluster.ReplicaTests {
    @Test func noRequestFailsInARollingRestart() async throws {
        try await ReplicaSet.installed("rolling") { set, place in
            let load = try await set.underLoad(place) {
                for replica in set.replicas {
                    #expect(try await set.stop(replica) == 0)
                    try await set.start(replica)
                }
            }
            print("rolling restart of three replicas: \(load)")
            #expect(load.isWhole, "\(load)")
        }
    }

    @Test func whatOneReplicaWasToldAllKnow() async throws {
        let wanted = ProcessInfo.processInfo.environment["TOLLGATE_REPLICA_REVOCATIONS"].flatMap(Int.init)
        let count = wanted ?? 20
        try await ReplicaSet.installed("known") { set, place in
            let others = Array(set.replicas.dropFirst())
            var delays: [Duration] = []
            for number in 0..<count {
                let token = try await set.replicas[0].mint("known-\(number)")
                for other in others { try await other.waits(for: "allow", host: place.host, token: token) }
                let began = ContinuousClock.now
                try await set.replicas[0].revoke("known-\(number)")
                for other in others { try await other.waits(for: "auth.token_revoked", host: place.host, token: token) }
                delays.append(ContinuousClock.now - began)
            }
            delays.sort()
            print("revoked everywhere: p50 \(delays[count / 2]), p99 \(delays[count * 99 / 100]), \(count) times")
            // Whoever asks for many has a machine for it.
            #expect(wanted == nil || delays[count * 99 / 100] < .seconds(1), "\(delays)")
        }
    }

    @Test func killsLoseNothingAndStopNobody() async throws {
        try await ReplicaSet.installed("killed") { set, place in
            let writer = SteadyWriter(port: set.port)
            let load = try await set.underLoad(place, writer: writer) {
                let leader = try await set.waitForLeader()
                let follower = try #require(set.replicas.first { $0.name != leader.name })
                try await set.kill(follower)
                try await writer.waitForMore(20)
                try await set.start(follower)
                try await set.kill(leader)
                try await writer.waitForMore(20)
                let next = try await set.waitForLeader(otherThan: leader)
                try await set.start(leader)
                print("killed the leader \(leader.name): \(next.name) leads")
            }
            print("two replicas killed: \(load), \(writer.acknowledged.count) tokens made")
            #expect(load.isWhole, "\(load)")
            try await set.allKnow(writer.acknowledged, host: place.host)
        }
    }

    @Test func aDatabaseThatIsStartedAgainLosesNothingAndStopsNoDecision() async throws {
        try await ReplicaSet.installed("restarted") { set, place in
            let writer = SteadyWriter(port: set.port)
            let load = try await set.underLoad(place, writer: writer) {
                for round in 0..<2 {
                    try await writer.waitForMore(20)
                    if round == 0 { await set.server.stop() } else { try await set.server.kill() }
                    try await writer.waitForRefusals(3)
                    try await set.server.start()
                }
                try await writer.waitForMore(20)
            }
            print("database ended and killed: \(load), \(writer.acknowledged.count) tokens made")
            #expect(load.isWhole, "\(load)")
            try await set.allKnow(writer.acknowledged, host: place.host)
        }
    }

    @Test func whoIsCutOffFromTheDatabaseRefusesWhatItCannotKnow() async throws {
        try await ReplicaSet.installed("cut") { set, place in
            let (here, there) = (set.replicas[0], set.replicas[2])
            let token = try await here.mint("cut-off")
            let key = try place.token()
            try await there.waits(for: "allow", host: place.host, token: token)
            there.database.stall()
            try await here.revoke("cut-off")
            #expect(try await here.daemon.decide(host: place.host, token: token) == "auth.token_revoked")
            // It has heard nothing for a minute then.
            try await there.waits(for: "auth.store_unavailable", host: place.host, token: token)
            #expect(try await there.daemon.decide(host: place.host, token: key) == "allow")
            there.database.resume()
            try await there.waits(for: "auth.token_revoked", host: place.host, token: token)
        }
    }

    @Test func redisComesAndGoesAndStopsNobody() async throws {
        try await RedisServer.with { redis in
            try await ReplicaSet.installed("redis", settings: ["REDIS_URL": redis.url]) { set, place in
                let load = try await set.underLoad(place) {
                    for replica in set.replicas {
                        try await replica.waits(forMetric: "tollgate_redis_up", of: 1)
                        try await replica.waits(forMetric: #"tollgate_store_signal_up{signal="redis"}"#, of: 1)
                    }
                    _ = try await redis.cli("FLUSHALL")
                    try await redis.kill()
                    for replica in set.replicas { try await replica.waits(forMetric: "tollgate_redis_up", of: 0) }
                    try await redis.restart()
                    for replica in set.replicas { try await replica.waits(forMetric: "tollgate_redis_up", of: 1) }
                }
                print("Redis flushed, killed and started: \(load)")
                #expect(load.isWhole, "\(load)")
            }
        }
    }
}
