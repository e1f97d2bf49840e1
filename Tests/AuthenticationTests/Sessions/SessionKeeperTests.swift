// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable import Authentication

/// Sessions made of a credential: how long they last, and what their cookies look like.
struct SessionKeeperTests {
    private struct World {
        let clock = ManualClock()
        let backend = MemorySessionBackend()
        let keeper: SessionKeeper

        init() throws {
            let random = SeededRandom(seed: 9)
            keeper = SessionKeeper(
                store: SessionStore(
                    backend: backend, seal: try #require(SessionSeal(keys: [random.bytes(32)])), clock: clock,
                    time: ManualMonotonicClock(), random: random), clock: clock, random: random)
        }

        func principal(_ subject: String = "ci", expiresIn: Int64? = nil) -> Principal {
            Principal(
                subject: subject, identityType: .service, authSource: .serviceToken, tenantID: "acme",
                expiresAt: expiresIn.map { clock.now().adding(seconds: $0) })
        }

        func begin(_ principal: Principal) async throws -> SessionRecord {
            try await keeper.begin(principal, credential: Redacted("hush"), device: .init(address: "192.0.2.1"))
        }
    }

    @Test func keepsWhatIsNeededToLookAtTheCredentialAgain() async throws {
        let world = try World()
        let made = try await world.begin(world.principal())
        let found = try #require(try await world.keeper.session(cookie: made.id.revealed))
        #expect(found.tokens?.access.revealed == "hush")
        #expect(found.userID == "ci")
        #expect(found.device.address == "192.0.2.1")
        #expect(found.expiresAt == world.clock.now().adding(seconds: 12 * 3600))
        #expect(SessionCookie.isID(made.id.revealed))
        // What is kept tells neither the id nor the credential.
        let key = SessionNames.key(ofID: made.id.revealed)
        let kept = try #require(try await world.backend.entry(key, at: world.clock.now()))
        let text = String(decoding: kept.value, as: UTF8.self) + kept.key + (kept.user ?? "")
        #expect(!text.contains(made.id.revealed) && !text.contains("hush") && !text.contains("ci\""))
        let shown = String(decoding: JSONValue.object(made.json).encoded(), as: UTF8.self)
        #expect(!shown.contains(made.id.revealed) && !shown.contains("hush"))
    }

    /// Used all the time, it is over after 12 hours; unused, after half an hour; and never later than its credential.
    @Test func ends() async throws {
        let world = try World()
        let used = try await world.begin(world.principal())
        for _ in 0..<35 {
            world.clock.advance(seconds: 20 * 60)
            #expect(try await world.keeper.session(cookie: used.id.revealed) != nil)
        }
        world.clock.advance(seconds: 20 * 60)
        #expect(try await world.keeper.session(cookie: used.id.revealed) == nil)

        let idle = try await world.begin(world.principal())
        world.clock.advance(seconds: 30 * 60 - 1)
        #expect(try await world.keeper.session(cookie: idle.id.revealed) != nil)
        world.clock.advance(seconds: 30 * 60)
        #expect(try await world.keeper.session(cookie: idle.id.revealed) == nil)

        let short = try await world.begin(world.principal(expiresIn: 60))
        world.clock.advance(seconds: 59)
        #expect(try await world.keeper.session(cookie: short.id.revealed) != nil)
        world.clock.advance(seconds: 1)
        #expect(try await world.keeper.session(cookie: short.id.revealed) == nil)
    }

    /// A page that asks while its user signs out does not bring the session back.
    @Test func staysEnded() async throws {
        let world = try World()
        let made = try await world.begin(world.principal())
        world.clock.advance(seconds: 60)
        var held = try #require(try await world.keeper.session(cookie: made.id.revealed))
        try await world.keeper.end(held)
        held.lastActivity = world.clock.now()
        try await SessionStore(
            backend: world.backend, seal: try #require(SessionSeal(keys: [Array(repeating: 1, count: 32)])),
            clock: world.clock, time: ManualMonotonicClock(), random: SeededRandom(seed: 1)
        ).touch(held)
        #expect(try await world.keeper.session(cookie: made.id.revealed) == nil)
        #expect(world.backend.count == 0)
    }

    @Test func listsTheCallersOwn() async throws {
        let world = try World()
        let first = try await world.begin(world.principal())
        world.clock.advance(seconds: 1)
        let second = try await world.begin(world.principal())
        _ = try await world.begin(world.principal("other"))
        let list = try await world.keeper.sessions(of: world.principal())
        #expect(list.map(\.handle) == [second.handle, first.handle])
        try await world.keeper.end(second)
        #expect(try await world.keeper.sessions(of: world.principal()).map(\.handle) == [first.handle])
    }

    @Test func knowsItsProof() async throws {
        let world = try World()
        let made = try await world.begin(world.principal())
        let other = try await world.begin(world.principal())
        #expect(made.isProven(by: made.proof))
        for text in ["", "x", other.proof, made.id.revealed, made.handle, made.proof + "A"] {
            #expect(!made.isProven(by: text), "\(text)")
        }
        #expect(made.proof != made.id.revealed)
    }

    static let cookies: [(lines: [String], value: String?)] = [
        ([], nil),
        (["__Host-tollgate-session=abc"], "abc"),
        (["a=1; __Host-tollgate-session=abc; b=2"], "abc"),
        (["a=1;__Host-tollgate-session=abc"], "abc"),
        (["a=1", "__Host-tollgate-session=abc"], "abc"),
        (["__Host-tollgate-session="], nil),
        (["__Host-tollgate-session"], nil),
        (["__host-tollgate-session=abc"], nil),
        (["tollgate-session=abc; x__Host-tollgate-session=abc"], nil),
        (["__Host-tollgate-session=; __Host-tollgate-session=b"], "b"),
        (["__Host-tollgate-session=a=b"], "a=b"),
    ]

    @Test(arguments: cookies.indices) func readsCookies(_ index: Int) {
        let row = Self.cookies[index]
        let headers = HeaderList(row.lines.map { ("Cookie", $0) })
        #expect(SessionCookie.value(in: headers) == row.value)
    }

    /// Whatever a cookie says, it is a session's id or it is nothing; nobody is asked about anything else.
    @Test func survivesEveryCookie() async throws {
        let world = try World()
        let made = try await world.begin(world.principal())
        let random = SeededRandom(seed: 0xC00C1E)
        for _ in 0..<FuzzCases.count(3000) {
            var bytes = Array("a=1; __Host-tollgate-session=\(made.id.revealed); b=2".utf8)
            for _ in 0...random.below(3) {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(ascii: ";"), at: place)
                }
            }
            let headers = HeaderList([("cookie", String(decoding: bytes, as: UTF8.self))])
            guard let value = SessionCookie.value(in: headers) else { continue }
            let found = try await world.keeper.session(cookie: value)
            #expect((found != nil) == (value == made.id.revealed))
        }
    }

    @Test func setsTheCookieAsItMustBe() {
        #expect(
            SessionCookie.setting("abc") == "__Host-tollgate-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax")
        #expect(
            SessionCookie.clearing
                == "__Host-tollgate-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
        for text in ["", "abc", String(repeating: "A", count: 44), String(repeating: "+", count: 43)] {
            #expect(!SessionCookie.isID(text))
        }
    }
}
