// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct APIKeyKeeperTests {
    private static func report(
        _ world: KeyWorld, _ id: String, _ query: JSONObject = [:]
    ) async throws -> JSONObject {
        let query = try APIKeyUsageQuery(query: query, now: world.clock.now())
        return try await world.registry.usage(id, query, caller: KeyWorld.person()).json
    }

    @Test func countsWhatIsWrittenAndWhatIsNot() async throws {
        let world = try KeyWorld()
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics)
        let id = try await world.create().record.id
        for status in [200, 200, 403, 429, 503] { world.table.decided(id, status: status, at: world.clock.now()) }
        await keeper.flush()
        world.table.decided(id, status: 200, at: world.clock.now())
        world.clock.advance(seconds: 3600)
        world.table.decided(id, status: 401, at: world.clock.now())
        world.table.decided("gone", status: 200, at: world.clock.now())
        let totals: JSONValue = [
            "requests": 7, "denied": 2, "rate_limited": 1,
            "by_status": ["200": 3, "401": 1, "403": 1, "429": 1, "503": 1],
        ]
        for _ in 0..<2 {
            let hours = try await Self.report(world, id)
            #expect(hours["totals"] == totals)
            #expect(hours["from"] == "2026-02-28T13:00:00Z" && hours["to"] == "2026-03-01T14:00:00Z")
            let buckets = try #require(hours["buckets"]?.arrayValue)
            #expect(buckets.map { $0["start"] } == ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"])
            #expect(buckets.map { $0["requests"] } == [6, 1])
            let days = try await Self.report(world, id, ["bucket": "day"])
            #expect(days["totals"] == totals && days["bucket"] == "day")
            #expect(days["buckets"]?.arrayValue?.map { $0["start"] } == ["2026-03-01T00:00:00Z"])
            // Written, it is the same.
            await keeper.flush()
        }
        let none = try await Self.report(world, id, ["from": "2026-03-01T10:00:00Z", "to": "2026-03-01T12:00:00Z"])
        #expect(none["totals"] == ["requests": 0, "denied": 0, "rate_limited": 0, "by_status": [:]])
        #expect(none["buckets"] == [])
    }

    @Test func countsNoFurtherThanItCan() async throws {
        let store = InMemoryAPIKeyStore()
        let world = try KeyWorld(store: store)
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics)
        let id = try await world.create().record.id
        let (now, hour) = (world.clock.now(), world.clock.now().seconds / 3600)
        for _ in 0..<3 {
            for _ in 0..<2 {
                world.table.take([CredentialUse(identifier: id, count: .max, lastUsedAt: now)]) { _ in true }
                world.table.take(
                    [APIKeyUsageRow(id: id, tenantID: nil, hour: hour, status: 200, requests: .max)]) { _ in true }
            }
            world.table.decided(id, status: 200, at: now)
            #expect(world.table.entry(id)?.current.useCount == .max)
            #expect(try await Self.report(world, id)["totals"]?["requests"] == .int(.max))
            await keeper.flush()
        }
        #expect(try await store.load().records.map(\.useCount) == [.max])
    }

    @Test func saysWhenAKeyWasUsedLast() async throws {
        let world = try KeyWorld()
        let made = try await world.create()
        #expect(try await Self.report(world, made.record.id)["last_used_at"] == .null)
        _ = world.authenticate(try #require(made.key?.revealed))
        #expect(try await Self.report(world, made.record.id)["last_used_at"] == "2026-03-01T12:00:00Z")
    }

    @Test func keepsWhatCouldNotBeWritten() async throws {
        let store = FlakyKeyStore()
        let world = try KeyWorld(store: store)
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics)
        let made = try await world.create()
        let (id, text) = (made.record.id, try #require(made.key?.revealed))
        _ = world.authenticate(text)
        _ = world.authenticate(try world.jwt("u1", roles: ["viewer"]))
        world.table.decided(id, status: 200, at: world.clock.now())
        store.goAway(true)
        await keeper.flush()
        world.clock.advance(seconds: 3600)
        world.table.heard(at: world.clock.now())
        world.table.decided(id, status: 200, at: world.clock.now())
        await keeper.flush()
        store.goAway(false)
        await keeper.flush()
        let totals = try await Self.report(world, id)["totals"]
        #expect(totals?["requests"] == 2)
        let stored = try await store.load()
        #expect(stored.records.first?.useCount == 1)
        #expect(stored.owners.first?.roles == ["viewer"])
    }

    @Test func givesUpTheOldestWhenTheStoreStaysAway() async throws {
        let store = FlakyKeyStore()
        let world = try KeyWorld(store: store)
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics)
        let id = try await world.create().record.id
        store.goAway(true)
        for _ in 0..<400 {
            world.table.decided(id, status: 200, at: world.clock.now())
            await keeper.flush()
            world.clock.advance(seconds: 3600)
        }
        store.goAway(false)
        let totals = try await Self.report(world, id, ["from": "2026-03-01T12:00:00Z"])["totals"]
        let requests = try #require(totals?["requests"]?.intValue)
        #expect((256...257).contains(requests))
    }

    @Test func tellsUsesOnceAndCountsByState() async throws {
        let world = try KeyWorld()
        let made = try await world.create()
        _ = try await world.registry.rotate(made.record.id, RotateAPIKey(), caller: KeyWorld.person())
        for _ in 0..<3 { _ = world.authenticate(try #require(made.key?.revealed)) }
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics) { uses in
            #expect(uses.map(\.count) == [3])
            #expect(uses.first?.identifier == made.record.id)
            #expect(uses.first?.addresses.map(\.description) == ["192.0.2.10"])
        }
        await keeper.flush()
        await keeper.flush()
        keeper.recordMetrics()
        for (status, count) in [("active", 1.0), ("rotated", 1), ("expired", 0), ("revoked", 0)] {
            let gauge = try world.metrics.expectGauge(
                "tollgate_auth_credentials", [("kind", "api_key"), ("status", status)])
            #expect(gauge.lastValue == count)
        }
    }

    @Test func writesWhatIsLeftWhenItEnds() async throws {
        let store = InMemoryAPIKeyStore()
        let world = try KeyWorld(store: store)
        let made = try await world.create()
        _ = world.authenticate(try #require(made.key?.revealed))
        world.table.decided(made.record.id, status: 200, at: world.clock.now())
        let keeper = APIKeyKeeper(
            registry: world.registry, metricsFactory: world.metrics, sleep: { _ in throw CancellationError() })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await keeper.run() }
            group.cancelAll()
        }
        #expect(try await store.load().records.first?.useCount == 1)
        let hour = world.clock.now().seconds / 3600
        #expect(try await store.usage(of: made.record.id, hours: hour..<hour + 1).map(\.requests) == [1])
    }

    @Test func countsWhileItIsWritten() async throws {
        let world = try KeyWorld()
        let keeper = APIKeyKeeper(registry: world.registry, metricsFactory: world.metrics)
        let id = try await world.create().record.id
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 { world.table.decided(id, status: 200, at: world.clock.now()) }
                }
            }
            group.addTask { for _ in 0..<50 { await keeper.flush() } }
        }
        #expect(try await Self.report(world, id)["totals"]?["requests"] == 4000)
    }
}
