// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport
internal import Testing

@testable import Authentication

/// Sessions in memory, sealed, and over a shared store that comes and goes.
struct SessionTests {
    /// A memory that can be away.
    private final class Remote: SessionBackend {
        let memory = MemorySessionBackend()
        let isAway = Mutex(false)

        private func check() throws(SessionBackendError) {
            if isAway.withLock({ $0 }) { throw SessionBackendError("away") }
        }

        func put(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
            try check()
            try await memory.put(entry, at: now)
        }

        func replace(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
            try check()
            try await memory.replace(entry, at: now)
        }

        func entry(_ key: String, at now: Timestamp) async throws(SessionBackendError) -> SessionEntry? {
            try check()
            return try await memory.entry(key, at: now)
        }

        func remove(_ key: String, user: String?) async throws(SessionBackendError) {
            try check()
            try await memory.remove(key, user: user)
        }

        func keys(ofUser user: String, at now: Timestamp) async throws(SessionBackendError) -> [String] {
            try check()
            return try await memory.keys(ofUser: user, at: now)
        }

        func key(ofHandle handle: String, at now: Timestamp) async throws(SessionBackendError) -> String? {
            try check()
            return try await memory.key(ofHandle: handle, at: now)
        }

        func lock(
            _ name: String, owner: String, for duration: Duration, at now: Timestamp
        ) async throws(SessionBackendError) -> Bool {
            try check()
            return try await memory.lock(name, owner: owner, for: duration, at: now)
        }

        func unlock(_ name: String, owner: String) async throws(SessionBackendError) {
            try check()
            try await memory.unlock(name, owner: owner)
        }
    }

    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static func shared(_ remote: Remote) -> SharedSessionBackend {
        SharedSessionBackend(shared: remote, logger: logger, metricsFactory: NOOPMetricsHandler.instance)
    }

    private static func store(
        _ backend: any SessionBackend, clock: any WallClock, keys: [[UInt8]] = [Array(repeating: 1, count: 32)]
    ) throws -> SessionStore {
        SessionStore(
            backend: backend, seal: try #require(SessionSeal(keys: keys)), clock: clock,
            time: ManualMonotonicClock(), random: SeededRandom(seed: 5))
    }

    private static func record(_ id: String, at now: Timestamp) -> SessionRecord {
        SessionRecord(
            id: id, issuer: "https://idp", userID: "u1", email: "a@b", username: "a", name: "A B", roles: ["viewer"],
            tenantID: "acme", realmName: "r", device: .init(id: "d", address: "192.0.2.1", userAgent: "x"),
            createdAt: now, lastActivity: now, expiresAt: now.adding(seconds: 3600),
            tokens: .init(access: "hush-access", refresh: "hush-refresh", accessExpiresAt: now.adding(seconds: 60)))
    }

    @Test func memoryKeepsTheContract() async throws {
        try await SessionBackendContract { MemorySessionBackend() }.check()
    }

    @Test func theSharedBackendKeepsTheContract() async throws {
        try await SessionBackendContract { Self.shared(Remote()) }.check()
    }

    @Test func theMemoryForgetsWhoWasUsedLeastRecently() async throws {
        let backend = MemorySessionBackend(capacity: 2)
        let now = Timestamp(seconds: 1000)
        for key in ["a", "b"] {
            try await backend.put(
                SessionEntry(key: key, user: "u", value: [1], expiresAt: now.adding(seconds: 9)), at: now)
        }
        _ = try await backend.entry("a", at: now)
        try await backend.put(
            SessionEntry(key: "c", user: "u", value: [1], expiresAt: now.adding(seconds: 9)), at: now)
        #expect(try await backend.keys(ofUser: "u", at: now) == ["a", "c"])
        #expect(try await backend.entry("a", at: now.adding(seconds: 9)) == nil)
        #expect(backend.count == 1)
    }

    @Test func savesFindsListsAndEnds() async throws {
        let clock = ManualClock()
        let backend = MemorySessionBackend()
        let store = try Self.store(backend, clock: clock)
        let record = Self.record("id-1", at: clock.now())
        try await store.save(record)
        #expect(try await store.session(id: "id-1") == record)
        #expect(try await store.session(id: "id-2") == nil)
        #expect(try await store.sessions(issuer: "https://idp", subject: "u1") == [record])
        #expect(try await store.sessions(issuer: "https://idp", subject: "u2").isEmpty)
        let entry = try #require(try await backend.entry(SessionNames.key(ofID: "id-1"), at: clock.now()))
        let kept = String(decoding: entry.value, as: UTF8.self) + entry.key + (entry.user ?? "")
        #expect(!kept.contains("hush") && !kept.contains("id-1") && !kept.contains("u1"))
        try await store.end(record)
        #expect(try await store.session(id: "id-1") == nil)
    }

    @Test func endsByTimeAndByIdling() async throws {
        let clock = ManualClock()
        let store = try Self.store(MemorySessionBackend(), clock: clock)
        var record = Self.record("id", at: clock.now())
        try await store.save(record)
        clock.advance(seconds: 1799)
        #expect(try await store.session(id: "id") != nil)
        record.lastActivity = clock.now()
        try await store.save(record)
        clock.advance(seconds: 1799)
        #expect(try await store.session(id: "id") != nil)
        clock.advance(seconds: 1)
        #expect(try await store.session(id: "id") == nil, "idle for half an hour")
        record.lastActivity = clock.now()
        record.expiresAt = clock.now()
        try await store.save(record)
        #expect(try await store.session(id: "id") == nil, "at its end")
    }

    @Test func theNameIsSealedWithTheValue() throws {
        let old = Array(repeating: UInt8(1), count: 32)
        let new = Array(repeating: UInt8(2), count: 32)
        let seal = try #require(SessionSeal(keys: [new, old]))
        let before = try #require(SessionSeal(keys: [old]))
        let sealed = try #require(before.seal([1, 2, 3], name: "kc:session:a"))
        #expect(seal.open(sealed, name: "kc:session:a") == [1, 2, 3], "all keys open")
        #expect(seal.open(sealed, name: "kc:session:b") == nil)
        let own = try #require(seal.seal([1], name: "n"))
        #expect(before.open(own, name: "n") == nil, "the first key seals")
        let random = SeededRandom(seed: 9)
        for _ in 0..<FuzzCases.count(500) {
            var bytes = sealed
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: bytes[place] ^= UInt8(1 << random.below(8))
            case 1: bytes.remove(at: place)
            default: bytes = Array(bytes.prefix(place))
            }
            #expect(seal.open(bytes, name: "kc:session:a") == nil)
        }
        #expect(SessionSeal(keys: []) == nil)
        #expect(SessionSeal(keys: [[1]]) == nil)
    }

    @Test func whatHappensWhileTheStoreIsAwayIsWrittenBack() async throws {
        let remote = Remote()
        let backend = Self.shared(remote)
        let now = Timestamp(seconds: 1000)
        func entry(_ key: String, _ value: UInt8) -> SessionEntry {
            SessionEntry(key: key, user: "u", value: [value], expiresAt: now.adding(seconds: 100))
        }
        for key in ["a", "b"] { try await backend.put(entry(key, 1), at: now) }
        remote.isAway.withLock { $0 = true }
        #expect(try await backend.entry("a", at: now)?.value == [1], "who was here stays")
        try await backend.put(entry("a", 2), at: now)
        try await backend.put(entry("c", 3), at: now)
        try await backend.remove("b", user: "u")
        #expect(backend.isDegraded)
        #expect(await backend.restore(at: now) == false)
        remote.isAway.withLock { $0 = false }
        #expect(try await backend.entry("b", at: now) == nil, "an end counts although the store does not know of it")
        #expect(try await backend.entry("a", at: now)?.value == [2])
        #expect(await backend.restore(at: now))
        #expect(!backend.isDegraded)
        #expect(try await remote.memory.keys(ofUser: "u", at: now) == ["a", "c"])
        #expect(try await remote.memory.entry("a", at: now)?.value == [2])
        // What another replica has ended is gone here when it is asked for, and when it is told.
        try await remote.memory.remove("a", user: "u")
        #expect(try await backend.entry("a", at: now) == nil)
        await backend.forget("c")
        remote.isAway.withLock { $0 = true }
        #expect(try await backend.entry("c", at: now) == nil)
    }

    @Test func oneAtATime() async throws {
        let clock = ManualClock()
        let backend = MemorySessionBackend()
        let store = try Self.store(backend, clock: clock)
        let outcome = try await store.alone(with: "id") {
            // What cannot be asked is not free.
            (try? await store.alone(with: "id") { true }) ?? false
        }
        #expect(outcome == false)
        #expect(try await store.alone(with: "id") { 7 } == 7, "freed again")
    }
}
