// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// What may stand in `REDIS_URL`.
struct RedisAddressTests {
    @Test(arguments: [
        ("redis://cache", "redis://cache:6379"), ("redis://cache:7000/2", "redis://cache:7000/2"),
        ("REDISS://u:p@cache.example/", "rediss://cache.example:6379"), ("redis://[::1]:1/0", "redis://[::1]:1"),
        ("redis+sentinel://a,b:1/mymaster/3", "redis+sentinel://a:26379,b:1/mymaster/3"),
        ("rediss-sentinel://:p@a/m", "rediss+sentinel://a:26379/m"),
        ("redis+cluster://a:1,a:1,b", "redis+cluster://a:1,b:6379"),
        ("rediss-cluster://u:p@a", "rediss+cluster://a:6379"),
    ])
    func readsAndShows(_ text: String, _ shown: String) throws {
        #expect(try RedisAddress(parsing: text).shown == shown)
    }

    @Test(
        arguments: [
            ("redis://host", nil, nil), ("redis://:p%40ss@host", nil, "p@ss"), ("redis://me:a:b@host", "me", "a:b"),
            ("redis://me@host", "me", nil), ("redis://m%C3%A9:x@host", "mé", "x"), ("redis://a:p@b@host", "a", "p@b"),
        ] as [(String, String?, String?)])
    func readsUserAndPassword(_ text: String, _ user: String?, _ password: String?) throws {
        let address = try RedisAddress(parsing: text)
        #expect(address.user == user)
        #expect(address.password?.revealed == password)
    }

    @Test(arguments: [
        "", "cache:6379", "http://cache", "redis:cache", "redis://", "redis://a,b", "redis://a:0", "redis://a:65536",
        "redis://a:x", "redis://a/b", "redis://a/1/2", "redis://a/-1", "redis://a?db=1", "redis://a#m", "redis://a b",
        "redis://u:%zz@a", "redis://[zz]", "redis://[::1", "redis+sentinel://a", "redis+sentinel://a/m!",
        "redis+cluster://a/1", "redis+cluster://a,", "redis://ä",
    ])
    func refuses(_ text: String) {
        #expect(throws: RedisAddress.Fault.self) { try RedisAddress(parsing: text) }
    }

    @Test func neverShowsASecret() throws {
        let random = SeededRandom(seed: 7)
        let marks = Array("redis+sentinel://u:hush@host:26379,b/m/0?%41#[]".unicodeScalars)
        for _ in 0..<FuzzCases.count(3000) {
            var text = "rediss://user:hush-secret@host:6379/0"
            for _ in 0..<random.below(4) {
                let place = text.unicodeScalars.index(
                    text.unicodeScalars.startIndex, offsetBy: random.below(12) + (random.below(2) == 0 ? 0 : 24))
                text.unicodeScalars.insert(marks[random.below(marks.count)], at: place)
            }
            do {
                let address = try RedisAddress(parsing: text)
                let shown = "\(address.shown) \(String(describing: address.password))"
                #expect(!shown.contains("hush"), "\(text): \(shown)")
            } catch {
                #expect(!"\(error)".contains("hush"), "\(text)")
            }
        }
    }

    @Test func anErrorReplyTellsItsCodeOnly() {
        let error = RedisError(RedisReplyError("WRONGPASS hush-secret"))
        #expect(error.code == .authentication)
        #expect(!"\(error)".contains("hush"))
        #expect(RedisReplyError("no code here").code == "ERR")
    }
}
