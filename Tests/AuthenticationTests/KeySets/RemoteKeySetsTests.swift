// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authentication

@Suite(.timeLimit(.minutes(10))) struct RemoteKeySetsTests {
    private static let source = RemoteKeySource.jwks(url: "https://idp.example/keys", trust: .settings)
    private let clock = ManualClock()
    private let fetcher = FakeKeySetFetcher()
    private let sleep = ManualSleep()

    private func withRunning(_ body: (RemoteKeySets) async throws -> Void) async throws {
        let sets = RemoteKeySets.forTests(fetcher: fetcher, clock: clock, sleep: sleep)
        sets.use([Self.source])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sets.run() }
            try await body(sets)
            group.cancelAll()
            fetcher.answer(.failure(KeySetFetchError(.unreachable, "the test is over")))
        }
    }

    @Test func bringsTheFirstSetAndRefreshesIt() async throws {
        try await withRunning { sets in
            #expect(sets.status().map(\.isUsable) == [false])
            #expect(await fetcher.nextStart() == Self.source)
            fetcher.serve(try TokenForge.jwk(TestKeys.p256, kid: "k1"))
            let pause = try #require(await sleep.nextSleep())
            #expect((216...264).contains(pause.wholeSeconds))
            #expect(sets.slot(for: Self.source)?.keys(now: clock.now())?.keys.map(\.identifier) == ["k1"])
            #expect(sets.status().map(\.keyCount) == [1])
            clock.advance(seconds: pause.wholeSeconds + 1)
            sleep.wakeAll()
            #expect(await fetcher.nextStart() == Self.source)
            fetcher.serve(try TokenForge.jwk(TestKeys.p256, kid: "k2"))
            _ = await sleep.nextSleep()
            #expect(sets.slot(for: Self.source)?.keys(now: clock.now())?.keys.map(\.identifier) == ["k2"])
            #expect(fetcher.mostAtOnce == 1)
        }
    }

    @Test func retriesAfterAFaultAndAfterAnEmptySet() async throws {
        try await withRunning { sets in
            _ = await fetcher.nextStart()
            fetcher.answer(.failure(KeySetFetchError(.badStatus, "status 302")))
            #expect(await sleep.nextSleep() == .seconds(1))
            #expect(sets.status().first?.lastError == "badStatus: status 302")
            clock.advance(seconds: 1)
            sleep.wakeAll()
            _ = await fetcher.nextStart()
            fetcher.serve()
            #expect(await sleep.nextSleep() == .seconds(2))
            #expect(sets.status().first?.lastError == "badKeySet: no usable key")
            #expect(sets.status().map(\.isUsable) == [false])
        }
    }

    @Test func fetchesOnceForAnyNumberOfUnknownKeys() async throws {
        try await withRunning { sets in
            _ = await fetcher.nextStart()
            fetcher.serve(try TokenForge.jwk(TestKeys.p256, kid: "k1"))
            _ = await sleep.nextSleep()
            let slot = try #require(sets.slot(for: Self.source))
            #expect(sets.missesKey(in: slot, now: clock.now()) == .unknown)
            clock.advance(seconds: 31)
            for _ in 0..<100 { #expect(sets.missesKey(in: slot, now: clock.now()) == .mayAppear) }
            _ = await fetcher.nextStart()
            #expect(sets.missesKey(in: slot, now: clock.now()) == .mayAppear)
            #expect(fetcher.started == 2)
            fetcher.serve(try TokenForge.jwk(TestKeys.p256, kid: "k1"))
            _ = await sleep.nextSleep()
            #expect(sets.missesKey(in: slot, now: clock.now()) == .unknown)
        }
    }

    @Test func dropsWhatIsNotWanted() async throws {
        try await withRunning { sets in
            _ = await fetcher.nextStart()
            fetcher.serve(try TokenForge.jwk(TestKeys.p256, kid: "k1"))
            _ = await sleep.nextSleep()
            let slot = try #require(sets.slot(for: Self.source))
            sets.use([])
            #expect(slot.keys(now: clock.now()) == nil)
            #expect(sets.slot(for: Self.source) == nil)
            #expect(sets.status().isEmpty)
        }
    }

    @Test func waitsForFirstSets() async throws {
        try await withRunning { sets in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await sets.waitForFirstSets(atMost: .seconds(10)) }
                _ = await fetcher.nextStart()
                fetcher.serve(try TokenForge.jwk(TestKeys.p256, kid: "k1"))
                try await group.waitForAll()
            }
            #expect(sets.status().map(\.isUsable) == [true])
        }
    }

    @Test func waitsNoLongerThanAllowed() async throws {
        try await withRunning { sets in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await sets.waitForFirstSets(atMost: .seconds(10)) }
                while await sleep.nextSleep() != .seconds(10) {}
                sleep.wakeAll()
                await group.waitForAll()
            }
            #expect(sets.status().map(\.isUsable) == [false])
        }
    }

    @Test func hasNothingToWaitForWithoutSources() async {
        await RemoteKeySets.forTests().waitForFirstSets(atMost: .seconds(3600))
    }
}
