// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// Where Redis is, by the settings.
@Suite struct RedisSettingsTests {
    private static func load(_ environment: [String: String]) throws -> TollgateSettings {
        var environment = environment
        environment["HOME"] = "/home/test"
        return try TollgateSettings.load(
            SettingsSources(environment: environment), host: HostFacts(hostName: "host", workingDirectory: "/"))
    }

    @Test func thereIsNoneUnlessItIsNamed() throws {
        #expect(try Self.load([:]).redis == nil)
        #expect(try Self.load(["TOLLGATE_REDIS_TIMEOUT": "1s", "REDIS_URL": " "]).redis == nil)
    }

    @Test func readsWhatIsSet() throws {
        let redis = try #require(
            try Self.load([
                "A2A_REDIS_URL": " rediss://app:hush@cache:6380/2 ", "TOLLGATE_REDIS_CA_FILE": "~/ca.pem",
                "TOLLGATE_REDIS_TIMEOUT": "20ms", "TOLLGATE_REDIS_CONNECT_TIMEOUT": "1s",
                "TOLLGATE_REDIS_KEY_PREFIX": "blue:", "TOLLGATE_REDIS_SENTINEL_USERNAME": "s",
                "TOLLGATE_REDIS_SENTINEL_PASSWORD": "hush-too",
            ]).redis)
        #expect(redis.address.shown == "rediss://cache:6380/2")
        #expect(redis.address.user == "app")
        #expect(redis.address.password?.revealed == "hush")
        #expect(redis.authorities == "/home/test/ca.pem")
        #expect(redis.commandTimeout == .milliseconds(20))
        #expect(redis.connectTimeout == .seconds(1))
        #expect(redis.keyPrefix == "blue:")
        #expect(redis.sentinelUser == "s")
        #expect(redis.sentinelPassword?.revealed == "hush-too")
    }

    @Test func defaultsAreThoseOfTheTable() throws {
        let redis = try #require(try Self.load(["REDIS_URL": "redis://cache"]).redis)
        let plain = RedisSettings(address: redis.address)
        #expect(redis.commandTimeout == plain.commandTimeout)
        #expect(redis.connectTimeout == plain.connectTimeout)
        #expect(redis.keyPrefix == plain.keyPrefix)
    }

    @Test(arguments: [
        ("REDIS_URL", "http://app:hush@cache"), ("REDIS_URL", "redis://app:hush@cache:0"),
        ("REDIS_URL", "redis://app:hush@a,b"), ("REDIS_URL", "redis://app:hush@a/x"), ("REDIS_URL", "hush"),
        ("TOLLGATE_REDIS_TIMEOUT", "0"), ("TOLLGATE_REDIS_TIMEOUT", "6s"),
        ("TOLLGATE_REDIS_CONNECT_TIMEOUT", "2"), ("TOLLGATE_REDIS_KEY_PREFIX", "a{b}"),
    ])
    func aBadValueStopsTheStartAndIsNotRepeated(name: String, text: String) {
        do {
            _ = try Self.load([name: text])
            Issue.record("\(name) was taken")
        } catch {
            #expect("\(error)".contains(name))
            #expect(!"\(error)".contains("hush"))
        }
    }

    @Test(arguments: [
        ("redis://:p@cache", true), ("redis+sentinel://:p@127.0.0.1,cache/m", true), ("redis://cache", false),
        ("redis://:p@localhost", false), ("rediss://:p@cache", false),
    ])
    func aPasswordInPlainTextIsTold(_ url: String, _ isTold: Bool) throws {
        let notes = try Self.load(["REDIS_URL": url]).notes
        #expect(notes.contains { $0.setting == "REDIS_URL" && $0.kind == .unsafe } == isTold)
    }
}
