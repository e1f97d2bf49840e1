// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import MetricsTestKit
internal import TestSupport
internal import Testing

@Suite struct ServiceTokenKeeperTests {
    @Test func writesUsesOnceAndKeepsThemAcrossChanges() async throws {
        let store = InMemoryTokenStore()
        let world = TokenWorld(store: store)
        let made = try await world.registry.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root)
        let text = try #require(made.secret?.revealed)
        for _ in 0..<3 { _ = world.authenticate(text) }
        _ = try await world.registry.rotate("a", RotateServiceToken(), caller: TokenWorld.root)
        #expect(try await world.registry.show("a", caller: TokenWorld.root).record.useCount == 3)
        let keeper = ServiceTokenKeeper(registry: world.registry, metricsFactory: world.metrics)
        await keeper.flush()
        await keeper.flush()
        let stored = try await store.loadServiceTokens().first { $0.identifier == "a" }
        #expect(stored?.useCount == 3)
        #expect(stored?.lastUsedAt == world.clock.now())
        keeper.recordMetrics()
        let gauge = try world.metrics.expectGauge(
            "tollgate_auth_credentials", [("kind", "service_token"), ("status", "rotated")])
        #expect(gauge.lastValue == 1)
    }

    @Test func countsNoFurtherThanItCan() async throws {
        let store = InMemoryTokenStore()
        let world = TokenWorld(store: store)
        let made = try await world.registry.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root)
        let keeper = ServiceTokenKeeper(registry: world.registry, metricsFactory: world.metrics)
        let use = CredentialUse(identifier: "a", count: .max, lastUsedAt: world.clock.now())
        for _ in 0..<2 {
            for _ in 0..<2 { world.table.take([use]) { _ in true } }
            _ = world.authenticate(try #require(made.secret?.revealed))
            await keeper.flush()
        }
        #expect(try await store.loadServiceTokens().map(\.useCount) == [.max])
    }

    @Test func keepsWhatCouldNotBeWritten() async throws {
        let world = TokenWorld(store: BrokenStore())
        let text = TokenText.generate(prefix: "tgs_", id: "a", random: world.random).revealed
        world.table.put([
            ServiceTokenRecord(
                identifier: "a", secretDigest: SecretDigest(of: text), grant: ServiceTokenGrant(),
                issuedAt: world.clock.now(), createdBy: "test")
        ])
        _ = world.authenticate(text)
        let keeper = ServiceTokenKeeper(registry: world.registry, metricsFactory: world.metrics)
        await keeper.flush()
        let left = world.table.drainUses()
        #expect(left.map(\.count) == [1])
        #expect(left.first?.addresses.map(\.description) == ["192.0.2.10"])
        world.clock.advance(seconds: 61)
        await keeper.ping()
        #expect(!world.table.isFresh(at: world.clock.now()))
    }

    @Test func writesWhatIsLeftWhenItEnds() async throws {
        let store = InMemoryTokenStore()
        let world = TokenWorld(store: store)
        let made = try await world.registry.create(CreateServiceToken(identifier: "a"), caller: TokenWorld.root)
        _ = world.authenticate(try #require(made.secret?.revealed))
        let keeper = ServiceTokenKeeper(
            registry: world.registry, metricsFactory: world.metrics, sleep: { _ in throw CancellationError() })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await keeper.run() }
            group.cancelAll()
        }
        #expect(try await store.loadServiceTokens().first?.useCount == 1)
    }
}
