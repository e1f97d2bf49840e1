// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct LiveResumeTests {
    private static func ids(_ range: Range<Int>) -> [String] { range.map(LiveRows.id) }

    private func gap(_ client: LiveSubscription) async throws -> String {
        guard case .gap(let after, nil) = await client.next() else { throw ContractBroken(description: "no gap") }
        return after
    }

    @Test func goesOnFromTheRing() async throws {
        let world = LiveWorld()
        world.write(try (0..<10).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(3))
        #expect(await client.ids() == Self.ids(4..<10))
        #expect(world.history.asked == 0)
        world.write([try LiveRows.row(10)])
        #expect(await client.ids() == [LiveRows.id(10)])
    }

    @Test func goesOnFromTheIndexWhereTheRingHasForgotten() async throws {
        let world = LiveWorld { $0.ring = 4 }
        let rows = try (0..<20).map { try LiveRows.row($0) }
        world.history.add(rows)
        world.write(rows)
        let client = try world.open(after: LiveRows.id(5))
        #expect(await client.ids() == Self.ids(6..<20))
    }

    @Test func goesOnAfterAStartAndGivesNothingTwice() async throws {
        let world = LiveWorld()
        world.history.add(try (0..<8).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(2))
        #expect(await client.ids() == Self.ids(3..<8))
        // They were synced and come by the ordinary way only now.
        world.write(try (6..<10).map { try LiveRows.row($0) })
        #expect(await client.ids() == Self.ids(8..<10))
    }

    @Test func mixesWhatComesMeanwhileInByTime() async throws {
        let world = LiveWorld { $0.ring = 3 }
        world.history.add(try (0..<10).map { try LiveRows.row($0) })
        world.write(try (7..<10).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(4))
        world.write(try (10..<12).map { try LiveRows.row($0) })
        #expect(await client.ids() == Self.ids(5..<12))
    }

    @Test func givesHealingEventsAmongMuchElse() async throws {
        let world = LiveWorld { $0.replayed = 10 }
        world.history.add(try (0..<200).map { try $0 % 40 == 0 ? LiveRows.healing($0) : LiveRows.row($0) })
        let client = try world.open(.healing, after: LiveRows.id(40))
        #expect(await client.ids() == [80, 120, 160].map(LiveRows.id))
    }

    @Test func tellsOfAGapWhereMoreIsMissingThanIsRead() async throws {
        let world = LiveWorld { $0.replayed = 50 }
        world.history.add(try (0..<200).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(3))
        #expect(try await gap(client) == LiveRows.id(3))
        #expect(await client.ids() == Self.ids(150..<200))
        // Exactly as many as are read is no gap.
        let other = try world.open(after: LiveRows.id(149))
        #expect(await other.ids() == Self.ids(150..<200))
    }

    @Test(arguments: ["nonsense", "", "018f0000-0000-4000-8000-000000000000"])
    func tellsOfAGapWhereTheEventIsUnknown(_ id: String) async throws {
        let world = LiveWorld()
        world.write([try LiveRows.row(0)])
        let client = try world.open(after: id)
        #expect(try await gap(client) == id)
        world.write([try LiveRows.row(1)])
        #expect(await client.ids() == [LiveRows.id(1)])
    }

    @Test func tellsOfAGapAndGivesWhatThereIsWhereTheEventIsGone() async throws {
        let world = LiveWorld()
        world.history.add(try (100..<110).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(7))
        #expect(try await gap(client) == LiveRows.id(7))
        #expect(await client.ids() == Self.ids(100..<110))
    }

    @Test func tellsOfAGapWhereTheIndexIsAway() async throws {
        let world = LiveWorld { $0.ring = 5 }
        world.history.goAway()
        world.write(try (0..<20).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(3))
        #expect(try await gap(client) == LiveRows.id(3))
        #expect(await client.ids() == Self.ids(15..<20))
    }

    @Test func asksTheIndexForNobodyElsesTenant() async throws {
        let world = LiveWorld()
        world.history.add(try (0..<10).map { try LiveRows.row($0, tenant: $0 % 2 == 0 ? "acme" : "other") })
        let client = try world.open(reader: .tenant("acme"), after: LiveRows.id(0))
        #expect(await client.ids() == [2, 4, 6, 8].map(LiveRows.id))
    }

    @Test func survivesWhateverIsGivenAsAnID() async throws {
        let random = SeededRandom(seed: 6)
        let world = LiveWorld()
        world.history.add(try (0..<5).map { try LiveRows.row($0) })
        world.hub.drain()
        for _ in 0..<FuzzCases.count(300) {
            var bytes = Array(LiveRows.id(2).utf8)
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            let id = String(decoding: bytes.prefix(random.below(40)), as: UTF8.self)
            let client = try world.open(after: id)
            #expect(await client.next().end == .draining)
        }
    }
}
