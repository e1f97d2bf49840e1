// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// What is kept of an engine's answers, for how long, and under what.
@Suite struct AnswerCacheTests {
    private static let allow = EngineAnswer.decision(allow: true, reasons: [], effectiveRoles: ["editor"])
    private static let deny = EngineAnswer.decision(allow: false, reasons: ["not resource owner"], effectiveRoles: [])

    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_000_000 + seconds) }
    private static func key(_ text: String, _ revision: String = "r1") -> AnswerCache.Key {
        AnswerCache.Key(input: Array(text.utf8), revision: revision)
    }

    /// A cache under revision r1, in which `x` has that answer since second 0.
    private static func cache(
        _ answer: EngineAnswer, lifetime: Duration = .seconds(5), expiresIn: Duration? = nil, capacity: Int = 4
    ) -> SharedCache {
        let cache = SharedCache(lifetime: lifetime, capacity: capacity)
        _ = cache.answer(for: key("x"), revision: "r1", now: at(0))
        cache.keep(answer, for: key("x"), revision: "r1", now: at(0), expiresIn: expiresIn)
        return cache
    }

    @Test(arguments: [allow, deny, .roleCheck(true), .roleCheck(false)])
    func allowAndDenyAreBothKept(_ answer: EngineAnswer) {
        let cache = Self.cache(answer)
        #expect(cache.answer(for: Self.key("x"), revision: "r1", now: Self.at(4)) == answer)
    }

    @Test(arguments: [true, false]) func errorsAreNeverKept(failsOpen: Bool) {
        let cache = Self.cache(.unavailable(failsOpen: failsOpen))
        #expect(cache.count == 0)
    }

    @Test(arguments: [
        (Duration.seconds(5), Duration?.none, Int64(5)), (.seconds(5), .seconds(3), 3), (.seconds(2), .seconds(60), 2),
        (.seconds(5), .zero, 0), (.seconds(5), .seconds(-1), 0), (.zero, .seconds(60), 0),
    ]) func anAnswerEndsWithItsTimeOrItsCredential(lifetime: Duration, expiresIn: Duration?, seconds: Int64) {
        let cache = Self.cache(Self.allow, lifetime: lifetime, expiresIn: expiresIn)
        for second in Int64(0)..<8 {
            let found = cache.answer(for: Self.key("x"), revision: "r1", now: Self.at(second))
            #expect((found != nil) == (second < seconds), "second \(second)")
        }
    }

    @Test func aClockThatWasSetBackFindsNothing() {
        let cache = Self.cache(Self.allow)
        #expect(cache.answer(for: Self.key("x"), revision: "r1", now: Self.at(-1)) == nil)
    }

    @Test func anotherRevisionEmptiesIt() {
        let cache = Self.cache(Self.allow)
        #expect(cache.answer(for: Self.key("x", "r2"), revision: "r2", now: Self.at(1)) == nil)
        #expect(cache.count == 0)
    }

    @Test func anAnswerOfAnEarlierRevisionIsNotKept() {
        let cache = Self.cache(Self.allow)
        _ = cache.answer(for: Self.key("y", "r2"), revision: "r2", now: Self.at(1))
        cache.keep(Self.allow, for: Self.key("x"), revision: "r1", now: Self.at(1), expiresIn: nil)
        #expect(cache.count == 0)
        #expect(cache.answer(for: Self.key("x", "r2"), revision: "r2", now: Self.at(1)) == nil)
    }

    @Test func theLeastRecentlyUsedGoesFirst() {
        let cache = Self.cache(Self.allow, capacity: 2)
        cache.keep(Self.deny, for: Self.key("y"), revision: "r1", now: Self.at(0), expiresIn: nil)
        _ = cache.answer(for: Self.key("x"), revision: "r1", now: Self.at(1))
        cache.keep(Self.deny, for: Self.key("z"), revision: "r1", now: Self.at(1), expiresIn: nil)
        #expect(cache.answer(for: Self.key("y"), revision: "r1", now: Self.at(1)) == nil)
        #expect(cache.answer(for: Self.key("x"), revision: "r1", now: Self.at(1)) == Self.allow)
    }

    @Test func holdsTenThousandEntries() {
        let cache = SharedCache(lifetime: .seconds(5))
        _ = cache.answer(for: Self.key("0"), revision: "r1", now: Self.at(0))
        for number in 0..<10_100 {
            cache.keep(Self.allow, for: Self.key("\(number)"), revision: "r1", now: Self.at(0), expiresIn: nil)
        }
        #expect(cache.count == 10_000)
    }

    @Test func theKeyHoldsInputAndRevision() {
        #expect(Self.key("x") == Self.key("x"))
        #expect(Self.key("x") != Self.key("y"))
        #expect(Self.key("x", "r1") != Self.key("x", "r2"))
        #expect(
            AnswerCache.Key(input: Array("bc".utf8), revision: "a") != AnswerCache.Key(input: [0x63], revision: "ab"))
    }
}

/// A cache that calls inside an expectation may change.
private final class SharedCache {
    private var cache: AnswerCache

    init(lifetime: Duration, capacity: Int = AnswerCache.capacity) {
        cache = AnswerCache(lifetime: lifetime, capacity: capacity)
    }

    var count: Int { cache.count }

    func answer(for key: AnswerCache.Key, revision: String, now: Timestamp) -> EngineAnswer? {
        cache.answer(for: key, revision: revision, now: now)
    }

    func keep(
        _ answer: EngineAnswer, for key: AnswerCache.Key, revision: String, now: Timestamp, expiresIn: Duration?
    ) {
        cache.keep(answer, for: key, revision: revision, now: now, expiresIn: expiresIn)
    }
}
