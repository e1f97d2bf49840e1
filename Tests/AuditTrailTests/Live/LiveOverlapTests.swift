// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

/// Clients that go on at another replica, after a start, or on a slow line.
@Suite(.timeLimit(.minutes(5))) struct LiveOverlapTests {
    /// The number of the event that the client has seen last; it is so many milliseconds after the first.
    private static let last = 60_000

    private static func world(_ change: (inout LiveSettings) -> Void = { _ in }) -> LiveWorld {
        LiveWorld { settings in
            settings.overlap = .seconds(20)
            change(&settings)
        }
    }

    private static func row(_ number: Int, _ writer: String) throws -> AuditRow {
        try LiveRows.row(number, actor: writer, writer: writer)
    }

    /// What two replicas wrote within milliseconds of each other comes to each of them in another order.
    private static func written() throws -> [AuditRow] {
        try [
            row(10, "a"), row(last - 30_000, "b"), row(last - 100, "a"), row(last - 1, "b"), row(last, "a"),
            row(last + 1, "a"),
        ]
    }

    @Test func whatWasUnderWayToAnotherReplicaIsGivenHere() async throws {
        let world = Self.world()
        world.write(try Self.written())
        let client = try world.open(after: LiveRows.id(Self.last))
        #expect(await client.ids() == [Self.last - 1, Self.last + 1].map(LiveRows.id))
        #expect(world.history.asked == 0)
    }

    @Test func whatWasUnderWayIsInTheIndexToo() async throws {
        let world = Self.world()
        world.history.add(try Self.written())
        world.write(try [Self.row(Self.last + 1, "a"), Self.row(Self.last + 2, "c")])
        let client = try world.open(after: LiveRows.id(Self.last))
        let wanted = [Self.last - 1, Self.last + 1, Self.last + 2].map(LiveRows.id)
        #expect(await client.ids() == wanted)
    }

    /// A ring that begins after the event was written cannot tell what was under way.
    @Test func asksTheIndexWhereTheRingIsTooShort() async throws {
        let world = Self.world()
        world.history.add(try Self.written())
        world.write(try [Self.row(Self.last, "a"), Self.row(Self.last + 1, "a")])
        let client = try world.open(after: LiveRows.id(Self.last))
        #expect(await client.ids() == [Self.last - 1, Self.last + 1].map(LiveRows.id))
    }

    @Test func tellsOfAGapWhereNotAllThatWasUnderWayIsRead() async throws {
        let world = Self.world { $0.replayed = 10 }
        world.history.add(try (0..<20).map { try Self.row(Self.last - 20 + $0, "b") } + [Self.row(Self.last, "a")])
        let client = try world.open(after: LiveRows.id(Self.last))
        guard case .gap(LiveRows.id(Self.last), nil) = await client.next() else {
            throw ContractBroken(description: "no gap")
        }
        #expect(await client.ids() == (Self.last - 10..<Self.last).map(LiveRows.id))
    }

    /// A series comes in the order of its numbers, whatever its clock did.
    @Test func losesNothingWhenTheClockWasSetBack() async throws {
        let world = LiveWorld()
        let times = [0, 5000, 5001, 2000, 2001]
        world.history.add(
            try times.enumerated().map { try LiveRows.row($1, sequence: $0 + 1) })
        let client = try world.open(after: LiveRows.id(0))
        #expect(await client.ids() == [5000, 5001, 2000, 2001].map(LiveRows.id))
        let other = try world.open(after: LiveRows.id(5001))
        #expect(await other.ids() == [2000, 2001].map(LiveRows.id))
    }

    @Test(arguments: [true, false]) func aSlowLineMayTakeItsTimeToCatchUp(_ isInRing: Bool) async throws {
        let world = LiveWorld()
        let rows = try (0..<3000).map { try LiveRows.row($0) }
        if isInRing { world.write(rows) } else { world.history.add(rows) }
        let client = try world.open(after: LiveRows.id(0))
        var ids: [String] = []
        var number = 3000
        while ids.count < number - 1 {
            let more = await client.ids()
            try #require(!more.isEmpty)
            ids += more
            // The write of what was taken lasts this long, and some events come meanwhile.
            world.clock.advance(by: .seconds(1))
            if number < 3030 {
                world.write(try (number..<number + 3).map { try LiveRows.row($0) })
                number += 3
            }
            world.hub.tick()
        }
        #expect(ids == (1..<number).map(LiveRows.id))
    }

    @Test func whatIsNewStillCountsForWhoTakesNothing() async throws {
        let world = LiveWorld()
        world.write(try (0..<1000).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(0))
        #expect(await client.ids().count == 256)
        world.clock.advance(by: .seconds(1))
        world.write(try (1000..<1256).map { try LiveRows.row($0) })
        #expect(world.hub.clients == 1)
        world.write([try LiveRows.row(1256)])
        guard case .overflow = await client.next().end else { throw ContractBroken(description: "no overflow") }
    }

    @Test func givesNothingOfManyTwice() async throws {
        let world = LiveWorld()
        let rows = try (0..<4500).map { try LiveRows.row($0) }
        world.history.add(rows)
        let client = try world.open(after: LiveRows.id(0))
        #expect(await client.ids(4499) == (1..<4500).map(LiveRows.id))
        // The index was ahead of the ordinary way.
        world.write(rows)
        world.write([try LiveRows.row(4500)])
        #expect(await client.ids() == [LiveRows.id(4500)])
    }

    // MARK: Bounds

    @Test func manyClientsShareWhatTheyAreGivenAgain() async throws {
        let world = LiveWorld()
        world.history.add(try (0..<100).map { try LiveRows.row($0) })
        var seen: [[LiveEvent]] = []
        for _ in 0..<3 {
            let client = try world.open(after: LiveRows.id(0))
            guard case .events(let events) = await client.next() else {
                throw ContractBroken(description: "no events")
            }
            seen.append(events)
        }
        #expect(seen[0].count == 99)
        for other in seen.dropFirst() { #expect(zip(seen[0], other).allSatisfy { $0 === $1 }) }
    }

    @Test func givesNoMoreBytesAgainThanItMay() async throws {
        let world = LiveWorld { $0.replayedBytes = 4096 }
        world.history.add(try (0..<100).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(0))
        guard case .gap(LiveRows.id(0), nil) = await client.next() else {
            throw ContractBroken(description: "no gap")
        }
        let ids = await client.ids()
        #expect(ids.count > 5 && ids.count < 40 && ids.last == LiveRows.id(99))
    }

    @Test func asksTheIndexOnceASecondForOneClient() async throws {
        let world = LiveWorld()
        world.history.add(try (0..<5).map { try LiveRows.row($0) })
        let client = try world.open(after: LiveRows.id(2))
        #expect(await client.ids() == [3, 4].map(LiveRows.id))
        client.change(to: LiveFilter(stream: .all, reader: .platform), after: LiveRows.id(3))
        async let next = client.ids()
        try await Eventually.holds("the client to wait") { world.clock.pauses == [.seconds(1)] }
        #expect(world.history.asked == 1)
        world.clock.advance(by: .seconds(1))
        #expect(await next == [LiveRows.id(4)])
        #expect(world.history.asked == 2)
    }
}
