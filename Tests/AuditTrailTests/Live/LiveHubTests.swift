// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct LiveHubTests {
    private static func ids(_ range: Range<Int>) -> [String] { range.map(LiveRows.id) }

    @Test func givesEveryEntryToEverybodyOnceAndInOrder() async throws {
        let world = LiveWorld()
        let clients = try (0..<3).map { _ in try world.open() }
        world.write(try (0..<10).map { try LiveRows.row($0) })
        // What comes again is not new.
        world.write(try (5..<20).map { try LiveRows.row($0) })
        for client in clients { #expect(await client.ids(20) == Self.ids(0..<20)) }
    }

    @Test func showsHealingEventsInTheirFlatFormAndOthersAsEntries() async throws {
        let world = LiveWorld()
        let client = try world.open()
        let row = try LiveRows.row(1, tenant: "acme")
        world.write([try LiveRows.healing(0), row])
        guard case .events(let events) = await client.next() else { throw ContractBroken(description: "no events") }
        let flat = try JSONParser.parse(events[0].json)
        #expect(flat["kind"] == "ack" && flat["comment"] == "seen" && flat["hash"] == nil)
        #expect(String(decoding: events[0].json, as: UTF8.self).contains(#""ts":1772366400.000000"#))
        #expect(events[1].json == row.line)
    }

    @Test(arguments: [
        (LiveFilter.Stream.healing, nil, nil, [0, 3]), (.audit, nil, nil, [1, 2]), (.all, nil, nil, [0, 1, 2, 3]),
        (.healing, "ack", nil, [0]), (.all, "action_ok", nil, [3]), (.all, nil, "actor=bob OR kind=ack", [0, 2]),
        (.audit, nil, "NOT actor=bob", [1]),
    ])
    func filters(_ stream: LiveFilter.Stream, _ kind: String?, _ query: String?, _ wanted: [Int]) async throws {
        let world = LiveWorld()
        let client = try world.open(stream, kind: kind, query: query)
        world.write([
            try LiveRows.healing(0), try LiveRows.row(1), try LiveRows.row(2, actor: "bob"),
            try LiveRows.healing(3, kind: "action_ok"),
        ])
        #expect(await client.ids() == wanted.map(LiveRows.id))
    }

    @Test func showsATenantItsOwnAndThoseWithoutOneNothing() async throws {
        let world = LiveWorld()
        let acme = try world.open(reader: .tenant("acme"))
        let nobody = try world.open(reader: .tenant(nil))
        world.write([
            try LiveRows.row(0, tenant: "acme"), try LiveRows.row(1, tenant: "other"), try LiveRows.row(2),
            try LiveRows.healing(3), try LiveRows.healing(4, tenant: "acme"),
        ])
        #expect(await acme.ids() == [LiveRows.id(0), LiveRows.id(4)])
        world.hub.drain()
        #expect(await nobody.next().end == .draining)
    }

    @Test func refusesTheEleventhClientOfAnIdentityUntilOneGoes() throws {
        let world = LiveWorld()
        var clients = try (0..<10).map { _ in try world.open() }
        let refusal = #expect(throws: Refusal.self) { try world.open() }
        #expect(refusal?.code == .eventsTooManyStreams)
        #expect(refusal?.message == "Too many event streams are open")
        #expect(refusal?.status == 429 && refusal?.retryAfterSeconds == 30)
        _ = try world.open(identity: "two")
        clients[3].end()
        clients.append(try world.open())
        // A place is given back as well when nobody holds it any more.
        clients = []
        #expect(world.hub.clients == 0)
    }

    @Test func refusesMoreClientsThanThereIsRoomFor() throws {
        let world = LiveWorld { $0.clients = 5 }
        let clients = try (0..<5).map { try world.open(identity: "\($0)") }
        let refusal = #expect(throws: Refusal.self) { try world.open(identity: "another") }
        #expect(refusal?.code == .eventsTooManyStreams)
        #expect(clients.count == world.hub.clients)
    }

    @Test func givesUpOnAClientThatTakesNothingAndOnNobodyElse() async throws {
        let world = LiveWorld()
        let slow = try world.open()
        let quick = try world.open()
        world.write([try LiveRows.row(0)])
        #expect(await slow.ids() == [LiveRows.id(0)])
        // It is at work with the first event and does not come back.
        for number in 1..<300 {
            world.write([try LiveRows.row(number)])
            #expect(await quick.ids(number == 1 ? 2 : 1).last == LiveRows.id(number))
            if number == 250 { world.clock.advance(by: .milliseconds(300)) }
        }
        #expect(world.hub.clients == 1)
        guard case .overflow(let dropped, let lastID) = await slow.next().end else {
            throw ContractBroken(description: "no overflow")
        }
        #expect(dropped == 257 && lastID == LiveRows.id(0))
    }

    @Test func givesUpOnAClientForWhomTooManyBytesWait() async throws {
        let world = LiveWorld { $0.waitingBytes = 4096 }
        let slow = try world.open()
        world.write([try LiveRows.row(0)])
        #expect(await slow.ids().count == 1)
        world.clock.advance(by: .seconds(1))
        world.write(try (1..<20).map { try LiveRows.row($0) })
        guard case .overflow(19, LiveRows.id(0)) = await slow.next().end else {
            throw ContractBroken(description: "no overflow")
        }
    }

    @Test func takesABurstForNobodysFault() async throws {
        let world = LiveWorld()
        let client = try world.open()
        world.write(try (0..<4000).map { try LiveRows.row($0) })
        let first = await client.ids()
        #expect(first.count <= 256)
        world.write(try (4000..<6000).map { try LiveRows.row($0) })
        #expect(first + (await client.ids(6000 - first.count)) == Self.ids(0..<6000))
    }

    @Test func countsOnlyWhatTheQueryLetsThrough() async throws {
        let world = LiveWorld()
        let client = try world.open(query: "actor=bob")
        world.write([try LiveRows.row(0, actor: "bob")])
        #expect(await client.ids().count == 1)
        world.clock.advance(by: .seconds(1))
        for start in stride(from: 1, to: 1001, by: 100) {
            world.write(try (start..<start + 100).map { try LiveRows.row($0) })
        }
        world.write([try LiveRows.row(1001, actor: "bob")])
        #expect(await client.ids() == [LiveRows.id(1001)])
    }

    @Test func tellsEverybodyWhenMoreCameThanCouldBeTakenRound() async throws {
        let world = LiveWorld { $0.waitingAtMost = 1000 }
        let client = try world.open()
        world.hub.add(try (0..<900).map { try LiveRows.row($0) })
        world.hub.add(try (900..<1800).map { try LiveRows.row($0) })
        world.hub.flush()
        guard case .overflow(1800, nil) = await client.next().end else {
            throw ContractBroken(description: "no overflow")
        }
        #expect(world.hub.kept == 0 && world.hub.clients == 0)
    }

    @Test func asksForASignOfLifeAndForTheCredentialInTime() async throws {
        let world = LiveWorld()
        let client = try world.open()
        var turns: [String] = []
        for _ in 0..<30 {
            world.clock.advance(by: .seconds(1))
            world.hub.tick()
        }
        // Both are due at 30 s; the sign of life of 15 s was not taken and is one with it.
        for _ in 0..<2 {
            switch await client.next() {
            case .recheck: turns.append("recheck")
            case .heartbeat: turns.append("heartbeat")
            default: turns.append("other")
            }
        }
        #expect(turns == ["recheck", "heartbeat"])
        world.clock.advance(by: .seconds(15))
        world.hub.tick()
        guard case .heartbeat = await client.next() else { throw ContractBroken(description: "no heartbeat") }
    }

    @Test func tellsEverybodyWhenTheProcessEnds() async throws {
        let world = LiveWorld()
        let client = try world.open()
        world.hub.drain()
        #expect(await client.next().end == .draining)
        #expect(await (try world.open()).next().end == .draining)
    }

    @Test func cutsAConnectionThatDoesNotTakeItsLastWords() throws {
        let cuts = Mutex(0)
        let world = LiveWorld()
        let client = try world.open { cuts.withLock { $0 += 1 } }
        client.end()
        world.clock.advance(by: .seconds(14))
        world.hub.tick()
        #expect(cuts.withLock { $0 } == 0)
        world.clock.advance(by: .seconds(1))
        world.hub.tick()
        world.hub.tick()
        #expect(cuts.withLock { $0 } == 1)
    }

    /// Neither signs of life nor looks at the credential get through to it.
    @Test func cutsAConnectionThatTakesNothingAtAll() async throws {
        let cuts = Mutex(0)
        let world = LiveWorld()
        let client = try world.open { cuts.withLock { $0 += 1 } }
        world.write([try LiveRows.row(0)])
        #expect(await client.ids().count == 1)
        world.clock.advance(by: .seconds(44))
        world.hub.tick()
        #expect(cuts.withLock { $0 } == 0)
        world.clock.advance(by: .seconds(1))
        for _ in 0..<3 {
            world.hub.tick()
            world.clock.advance(by: .seconds(30))
        }
        #expect(cuts.withLock { $0 } == 1)
        #expect(await client.next().end == .overflow(dropped: 0, lastID: LiveRows.id(0)))
    }

    @Test func beginsAnewInTheSamePlace() async throws {
        let world = LiveWorld()
        let client = try world.open(.healing)
        world.write([try LiveRows.healing(0), try LiveRows.row(1), try LiveRows.row(2)])
        client.change(to: LiveFilter(stream: .audit, reader: .platform), after: LiveRows.id(0))
        #expect(await client.ids() == Self.ids(1..<3))
        client.call()
        guard case .called = await client.next() else { throw ContractBroken(description: "not called") }
        #expect(world.hub.clients == 1)
    }

    /// What the benchmark does with a thousand clients, on a smaller scale: nobody but the stalled loses anything, and what is kept stays bounded.
    @Test func losesNothingForManyClientsAndKeepsABoundedNumber() async throws {
        let world = LiveWorld { $0.ring = 512 }
        let (clients, events) = (200, 2000)
        let stalled = try (0..<2).map { _ in try world.open(identity: "stalled") }
        world.write([try LiveRows.row(0)])
        for client in stalled { #expect(await client.ids().count == 1) }
        let received = try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<clients {
                let client = try world.open(identity: "\(number / 10)")
                group.addTask { await client.ids(events - 1) }
            }
            for start in stride(from: 1, to: events, by: 20) {
                world.write(try (start..<min(start + 20, events)).map { try LiveRows.row($0) })
                world.clock.advance(by: .milliseconds(10))
                await Task.yield()
            }
            return try await group.reduce(into: [[String]]()) { $0.append($1) }
        }
        #expect(received.count == clients)
        let wanted = Self.ids(1..<events)
        #expect(received.allSatisfy { $0 == wanted })
        #expect(world.hub.kept == 512)
        for client in stalled { if case .overflow = await client.next().end {} else { Issue.record("no overflow") } }
    }
}
