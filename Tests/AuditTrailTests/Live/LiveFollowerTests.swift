// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Logging
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct LiveFollowerTests {
    private final class Store: SharedTrail {
        private let state = Mutex((series: [String: [AuditRow]](), isAway: false))

        func add(_ numbers: Range<Int>, to writer: String) throws {
            let rows = try numbers.map { try LiveRows.row($0, actor: writer, writer: writer, sequence: $0 + 1) }
            state.withLock { $0.series[writer, default: []] += rows }
        }

        func setAside(_ writer: String) {
            state.withLock { state in
                state.series["\(writer)~1"] = state.series[writer]
                state.series[writer] = nil
            }
        }

        func become(away: Bool) { state.withLock { $0.isAway = away } }

        func heads() async throws -> [String: Int64] {
            try state.withLock { state in
                if state.isAway { throw ContractBroken(description: "away") }
                return state.series.mapValues { $0.last?.sequence ?? 0 }
            }
        }

        func rows(of writer: String, after sequence: Int64, limit: Int) async throws -> [AuditRow] {
            try state.withLock { state in
                if state.isAway { throw ContractBroken(description: "away") }
                return Array((state.series[writer] ?? []).filter { $0.sequence > sequence }.prefix(limit))
            }
        }
    }

    private final class Channel: NoticeChannel {
        let name = "fake"
        func announce(_ text: String) {}
        func run(_ tell: @escaping @Sendable (NoticeEvent) -> Void) async {}
    }

    private final class World: Sendable {
        let store = Store()
        let clock = ManualMonotonicClock()
        let follower: LiveFollower

        init(startedAt: Timestamp = Timestamp(seconds: 1_772_366_400)) {
            let taken = Noted()
            noted = taken
            follower = LiveFollower(
                trail: store, channel: Channel(), ownWriter: "own", startedAt: startedAt, clock: clock,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            ) { rows in taken.note(rows.map { "\($0.writer) \($0.sequence)" }) }
        }

        let noted: Noted
        var all: [String] { noted.all }
    }

    private final class Noted: Sendable {
        private let kept = Mutex<[String]>([])
        func note(_ texts: [String]) { kept.withLock { $0 += texts } }
        var all: [String] { kept.withLock { $0 } }
    }

    @Test func readsWhatIsNewOfASeriesThatIsAnnounced() async throws {
        let world = World()
        try world.store.add(0..<5, to: "a")
        try await world.follower.start()
        world.follower.heard(.up)
        try world.store.add(5..<8, to: "a")
        world.follower.heard(.notice("a"))
        #expect(await world.follower.turn())
        #expect(world.all == ["a 6", "a 7", "a 8"])
        // Announced again: nothing comes twice.
        world.follower.heard(.notice("a"))
        #expect(await world.follower.turn())
        #expect(world.all.count == 3)
    }

    @Test func findsWhatWasNotAnnouncedAtTheNextLook() async throws {
        let world = World()
        try await world.follower.start()
        world.follower.heard(.up)
        #expect(await world.follower.turn())
        try world.store.add(0..<2500, to: "new-replica")
        #expect(await world.follower.turn())
        #expect(world.all.isEmpty)
        world.clock.advance(by: .seconds(10))
        #expect(await world.follower.turn())
        #expect(world.all == (1...2500).map { "new-replica \($0)" })
    }

    @Test func passesOverItsOwnEntriesAndThoseOfLongAgo() async throws {
        // The numbers of entries are milliseconds after the start of the test clocks.
        let world = World(startedAt: Timestamp(seconds: 1_772_366_400 + 62))
        try await world.follower.start()
        try world.store.add(0..<3, to: "own")
        try world.store.add(1998..<2002, to: "late")
        world.follower.heard(.notice("own"))
        world.follower.heard(.notice("late"))
        world.follower.heard(.notice("../no series"))
        world.clock.advance(by: .seconds(10))
        #expect(await world.follower.turn())
        #expect(world.all == ["late 2001", "late 2002"])
    }

    @Test func takesWhatAClockThatIsBehindWrites() async throws {
        let world = World(startedAt: Timestamp(seconds: 1_772_366_400 + 600))
        try world.store.add(0..<2, to: "a")
        try await world.follower.start()
        try world.store.add(2..<4, to: "a")
        world.follower.heard(.notice("a"))
        #expect(await world.follower.turn())
        #expect(world.all == ["a 3", "a 4"])
    }

    @Test func followsASeriesThatBeganAnew() async throws {
        let world = World()
        try world.store.add(0..<9, to: "a")
        try await world.follower.start()
        world.store.setAside("a")
        try world.store.add(0..<3, to: "a")
        world.clock.advance(by: .seconds(10))
        #expect(await world.follower.turn())
        #expect(world.all == ["a 1", "a 2", "a 3"])
    }

    @Test func losesNothingWhileTheStoreIsAway() async throws {
        let world = World()
        try await world.follower.start()
        world.follower.heard(.up)
        try world.store.add(0..<3, to: "a")
        world.follower.heard(.notice("a"))
        world.store.become(away: true)
        #expect(await !world.follower.turn())
        world.store.become(away: false)
        #expect(await world.follower.turn())
        #expect(world.all == ["a 1", "a 2", "a 3"])
    }
}
