// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials

extension SettingsCatalog {
    /// In the order of the table.
    static let redis: [SettingInfo] = [
        redisURL.info, redisAuthorities.info, redisSentinelUser.info, redisSentinelPassword.info, redisTimeout.info,
        redisConnectTimeout.info, redisKeyPrefix.info,
    ]

    static let redisURL = Setting(
        "REDIS_URL", aliases: ["A2A_REDIS_URL"],
        .raw("URL", expected: "redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster:// and where it is"),
        secret: true, in: .redis,
        "Where replicas share request limits and failed authentications: redis://user:password@host:6379/0, redis+sentinel://user:password@host:26379,host:26379/master-name/0, redis+cluster://user:password@host:6379,host:6379; rediss for TLS. Away: each replica goes on alone."
    )
    static let redisAuthorities = Setting(
        "TOLLGATE_REDIS_CA_FILE", .path(), defaultNote: "the system's authorities", in: .redis,
        "PEM file of the authorities that may sign the certificates of Redis.")
    static let redisSentinelUser = Setting(
        "TOLLGATE_REDIS_SENTINEL_USERNAME", .text, in: .redis, "User at the sentinels, where they want one.")
    static let redisSentinelPassword = Setting(
        "TOLLGATE_REDIS_SENTINEL_PASSWORD", .raw("text", expected: "a text"), secret: true, in: .redis,
        "Password at the sentinels, where they want one; that of REDIS_URL is for Redis itself.")
    static let redisTimeout = Setting(
        "TOLLGATE_REDIS_TIMEOUT", .duration(.milliseconds(1)...(.seconds(5)), shown: "1ms to 5s"), default: "50ms",
        in: .redis,
        "How long one question may take, never more than half of what TOLLGATE_DECISION_TIMEOUT leaves; then the replica goes on alone."
    )
    static let redisConnectTimeout = Setting(
        "TOLLGATE_REDIS_CONNECT_TIMEOUT", .duration(.milliseconds(10)...(.seconds(60)), shown: "10ms to 60s"),
        default: "2s", in: .redis, "How long a new connection may take to answer; no request waits for one.")
    static let redisKeyPrefix = Setting(
        "TOLLGATE_REDIS_KEY_PREFIX",
        .text("text", expected: "at most 64 of [A-Za-z0-9:._-]") { text in
            text.utf8.count <= 64
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                    default: false
                    }
                }
        }, in: .redis, "Put before every key, where several installations share one Redis.")
}

extension TollgateSettings {
    /// How Redis is reached; nil where it is not set.
    static func redis(
        _ reader: inout SettingsReader, environment: [String: String], host: HostFacts
    ) -> RedisSettings? {
        typealias Catalog = SettingsCatalog
        let authorities = reader.optional(Catalog.redisAuthorities).map {
            absolute($0, environment: environment, host: host)
        }
        let sentinelUser = reader.optional(Catalog.redisSentinelUser)
        let sentinelPassword = reader.optional(Catalog.redisSentinelPassword)
        let command = reader.value(Catalog.redisTimeout, orAfterProblem: .seconds(1))
        let connect = reader.value(Catalog.redisConnectTimeout, orAfterProblem: .seconds(1))
        let prefix = reader.optional(Catalog.redisKeyPrefix) ?? ""
        guard let text = reader.optional(Catalog.redisURL) else { return nil }
        do throws(RedisAddress.Fault) {
            let address = try RedisAddress(parsing: ASCII.trimmed(text))
            if address.password != nil, !address.usesTLS, !address.isLoopback {
                reader.note(.unsafe, "REDIS_URL", "the password crosses the network as plain text: use rediss://")
            }
            return RedisSettings(
                address: address, authorities: authorities, sentinelUser: sentinelUser,
                sentinelPassword: sentinelPassword.map { Redacted($0) }, commandTimeout: command,
                connectTimeout: connect, keyPrefix: prefix)
        } catch {
            reader.problem("REDIS_URL", "a text of \(text.utf8.count) bytes does not parse: \(error)")
            return nil
        }
    }
}
