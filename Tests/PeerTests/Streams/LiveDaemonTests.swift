// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// Live events of real daemons: over a start, and over several replicas.
@Suite(.timeLimit(.minutes(20))) struct LiveDaemonTests {
    private static let authorization = ("Authorization", "Bearer \(TollgateDaemon.adminToken)")

    private static func stream(_ daemon: TollgateDaemon, after id: String? = nil) async throws -> StreamClient {
        var headers = [authorization]
        if let id { headers.append(("Last-Event-ID", id)) }
        let client = try await StreamClient.open(
            port: daemon.port, StreamClient.events("/events?stream=all&q=action%3Dhttp.authenticated", headers))
        try await Eventually.holds("the stream to begin") { client.text.contains("retry: 3000\n: ") }
        return client
    }

    /// Makes entries and gives the requests' ids.
    private static func ask(_ daemon: TollgateDaemon, times: Int) async throws -> [String] {
        var ids: [String] = []
        for _ in 0..<times {
            let answer = try await daemon.call("GET", "/v1/auth/me")
            #expect(answer.status == 200)
            ids.append(try #require(answer.values("X-Request-Id").first))
        }
        return ids
    }

    private static func requests(_ client: StreamClient) -> [String] {
        client.data.compactMap { (try? JSONParser.parse(text: $0))?["request_id"]?.stringValue }
    }

    @Test func goesOnAfterTheProcessWasKilledAndAfterItStopped() async throws {
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests)
        var asked: [String] = []
        var seen: [String] = []
        var last: String?
        for round in 0..<3 {
            try await daemon.running { process in
                let client = try await Self.stream(daemon, after: last)
                asked += try await Self.ask(daemon, times: 5)
                let wanted = asked.count
                try await Eventually.holds("every event") { seen.count + Self.requests(client).count >= wanted }
                seen += Self.requests(client)
                last = client.ids.last
                #expect(client.names == [])
                try await client.close()
                // These are written while nobody watches.
                asked += try await Self.ask(daemon, times: 5)
                // Reads are acknowledged before they are synced: what is killed earlier than that is not in the trail.
                let written = asked.count
                try await Eventually.holds("every entry in the trail") {
                    let answer = try await daemon.call("GET", "/v1/audit/events?action=http.authenticated&limit=1000")
                    return try answer.json()["count"]?.intValue == Int64(written)
                }
                if round == 0 { try await process.killNow() }
            }
        }
        #expect(seen == Array(asked.prefix(seen.count)) && seen.count == 25)
    }

    @Test func tellsItsClientsThatItStops() async throws {
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests)
        let (events, socket) = try await daemon.running { _ in
            let events = try await Self.stream(daemon)
            let socket = try await StreamClient.open(
                port: daemon.port, StreamClient.socket("/v1/events/ws", [Self.authorization]))
            try await Eventually.holds("the upgrade") { socket.text.hasPrefix("HTTP/1.1 101 ") }
            return (events, socket)
        }
        try await Eventually.holds("the ends") { events.hasEnded && socket.hasEnded }
        #expect(events.names == ["draining"])
        #expect(socket.texts == [#"{"type":"draining"}"#] && socket.frames.last?.closeCode == 1012)
    }

    @Test func endsAStreamWhoseTokenIsRevoked() async throws {
        let daemon = try TollgateDaemon(manifests: ProxyContract.manifests)
        try await daemon.running { _ in
            let token = try await daemon.mintToken("watcher", scopes: ["monitor:read"])
            let client = try await StreamClient.open(
                port: daemon.port, StreamClient.events("/events", [("Authorization", "Bearer \(token)")]))
            try await Eventually.holds("the stream to begin") { client.text.contains("retry: 3000\n: ") }
            _ = try await daemon.call("POST", "/v1/service-tokens/watcher/revoke", body: .object(["reason": "over"]))
            try await Eventually.holds("the end") { client.names == ["closed"] }
            #expect(client.data.first?.contains("auth.token_revoked") == true)
        }
    }

    // MARK: Replicas

    private static func withReplicas(
        _ settings: [String: String], _ body: ([TollgateDaemon]) async throws -> Void
    ) async throws {
        let database = try await DatabaseSupport.migrated()
        let daemons = try ["one", "two", "three"].map { writer in
            try TollgateDaemon(
                manifests: ProxyContract.manifests,
                settings: ["TOLLGATE_DATABASE_URL": database.url, "TOLLGATE_WRITER": writer].merging(settings) { $1 })
        }
        try await daemons[0].running { _ in
            try await daemons[1].running { _ in
                try await daemons[2].running { _ in try await body(daemons) }
            }
        }
    }

    private static func everythingReachesEverybody(_ daemons: [TollgateDaemon]) async throws {
        var clients: [StreamClient] = []
        for daemon in daemons { clients.append(try await stream(daemon)) }
        var asked: [String] = []
        for _ in 0..<5 { for daemon in daemons { asked += try await ask(daemon, times: 4) } }
        for client in clients {
            let wanted = asked.count
            try await Eventually.holds("every event at every replica") { requests(client).count >= wanted }
            // Each once, and those of one replica in order.
            #expect(requests(client).sorted() == asked.sorted())
            #expect(Set(client.ids).count == client.ids.count)
            #expect(client.names == [])
        }
        // Whoever loses one replica goes on at another.
        let last = try #require(clients[0].ids.last)
        try await clients[0].close()
        let more = try await ask(daemons[1], times: 3)
        let next = try await stream(daemons[2], after: last)
        try await Eventually.holds("the rest at another replica") { Set(requests(next)).isSuperset(of: more) }
        for client in clients.dropFirst() + [next] { try await client.close() }
        try await nothingIsLostOnTheWay(daemons)
    }

    /// Goes from replica to replica while all of them write.
    private static func nothingIsLostOnTheWay(_ daemons: [TollgateDaemon]) async throws {
        var asked: Set<String> = []
        var seen: Set<String> = []
        var last: String?
        for round in 0..<12 {
            let client = try await stream(daemons[round % daemons.count], after: last)
            let more = try await withThrowingTaskGroup(of: [String].self) { group in
                for daemon in daemons { group.addTask { try await ask(daemon, times: 5) } }
                try await Eventually.holds("an event") { !client.data.isEmpty }
                try await client.close()
                return try await group.reduce(into: []) { $0 += $1 }
            }
            asked.formUnion(more)
            // Of the last event only half may have come.
            seen.formUnion(requests(client))
            last = client.ids.prefix(client.data.count).last ?? last
        }
        let client = try await stream(daemons[0], after: last)
        try await Eventually.holds("all of it") { seen.union(requests(client)).isSuperset(of: asked) }
        #expect(client.names == [])
        try await client.close()
    }

    @Test func reachesClientsOfEveryReplicaOverTheDatabase() async throws {
        try await Self.withReplicas([:]) { try await Self.everythingReachesEverybody($0) }
    }

    @Test func reachesClientsOfEveryReplicaOverRedisAndWithoutItLater() async throws {
        try await RedisServer.with { redis in
            try await Self.withReplicas(["REDIS_URL": redis.url]) { daemons in
                try await Self.everythingReachesEverybody(daemons)
                try await redis.kill()
                let client = try await Self.stream(daemons[0])
                let asked = try await Self.ask(daemons[1], times: 3)
                try await Eventually.holds("the events without a notice") { Self.requests(client) == asked }
                try await client.close()
            }
        }
    }
}
