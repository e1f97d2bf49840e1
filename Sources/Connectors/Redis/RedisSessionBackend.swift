// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials

/// Sessions in Redis, under names that tell nothing of ids or users.
///
/// A session and its user's index are two keys, which a cluster may keep on two servers: the index is written first and read as a hint. It lives as long as
/// the last session in it. A third key leads from a session's handle to its key; it is a hint as well.
package struct RedisSessionBackend: SessionBackend {
    /// The channel on which the ends of sessions are told.
    package static let endedChannel = "tollgate:session:ended"

    private static let take = RedisScript(
        """
        local owner = redis.call('GET', KEYS[1])
        if owner and owner ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return 1
        """)
    private static let free = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)

    /// Adds a session to an index, takes out those that are over, and has the index end with its last session.
    private static let enter = RedisScript(
        """
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
        local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        if last[2] then
          redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(1, tonumber(last[2]) - tonumber(ARGV[3]))))
        end
        return 1
        """)

    private let client: RedisClient

    package init(_ client: RedisClient) { self.client = client }

    package func put(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
        let left = entry.expiresAt.milliseconds - now.milliseconds
        guard left > 0 else { return try await remove(entry.key, user: entry.user) }
        try await run { () async throws(RedisError) in
            if let user = entry.user {
                let index = client.key(user)
                _ = try await client.evaluate(
                    Self.enter, keys: [index],
                    arguments: [
                        entry.key, String(entry.expiresAt.milliseconds), String(now.milliseconds),
                    ])
            }
            let pointer = Self.pointer(entry.key, client)
            _ = try await client.send(
                RedisCommand("SET", pointer, entry.key, "PX", String(SessionStore.longest.wholeSeconds * 1000)),
                key: pointer)
            let key = client.key(entry.key)
            _ = try await client.send(
                RedisCommand("SET", key).adding(entry.value).adding("PX").adding(String(left)), key: key)
        }
    }

    private static func pointer(_ key: String, _ client: RedisClient) -> String {
        client.key(SessionNames.pointer(ofHandle: SessionNames.handle(ofKey: key)))
    }

    package func key(ofHandle handle: String, at now: Timestamp) async throws(SessionBackendError) -> String? {
        try await run { () async throws(RedisError) in
            let pointer = client.key(SessionNames.pointer(ofHandle: handle))
            return try await client.send(RedisCommand("GET", pointer), key: pointer).text
        }
    }

    package func replace(_ entry: SessionEntry, at now: Timestamp) async throws(SessionBackendError) {
        let left = entry.expiresAt.milliseconds - now.milliseconds
        guard left > 0 else { return try await remove(entry.key, user: entry.user) }
        try await run { () async throws(RedisError) in
            let key = client.key(entry.key)
            let reply = try await client.send(
                RedisCommand("SET", key).adding(entry.value).adding("PX").adding(String(left)).adding("XX"), key: key)
            // Nothing was there: the index is not told of it either.
            guard reply.isOK, let user = entry.user else { return }
            _ = try await client.evaluate(
                Self.enter, keys: [client.key(user)],
                arguments: [entry.key, String(entry.expiresAt.milliseconds), String(now.milliseconds)])
        }
    }

    package func entry(_ key: String, at now: Timestamp) async throws(SessionBackendError) -> SessionEntry? {
        try await run { () async throws(RedisError) in
            let name = client.key(key)
            let replies = try await client.send([RedisCommand("GET", name), RedisCommand("PTTL", name)], key: name)
            for case .failure(let failure) in replies { throw RedisError(failure) }
            guard let value = replies[0].bytes, let left = replies[1].integer, left > 0 else { return nil }
            return SessionEntry(
                key: key, user: nil, value: value,
                expiresAt: Timestamp(microseconds: now.microseconds + left * 1000))
        }
    }

    package func remove(_ key: String, user: String?) async throws(SessionBackendError) {
        try await run { () async throws(RedisError) in
            let name = client.key(key)
            _ = try await client.send(RedisCommand("DEL", name), key: name)
            let pointer = Self.pointer(key, client)
            _ = try await client.send(RedisCommand("DEL", pointer), key: pointer)
            if let user {
                let index = client.key(user)
                _ = try await client.send(RedisCommand("ZREM", index, key), key: index)
            }
            let channel = client.key(Self.endedChannel)
            _ = try await client.send(RedisCommand("PUBLISH", channel, key), key: channel)
        }
    }

    package func keys(ofUser user: String, at now: Timestamp) async throws(SessionBackendError) -> [String] {
        try await run { () async throws(RedisError) in
            let index = client.key(user)
            let reply = try await client.send(
                RedisCommand("ZRANGEBYSCORE", index, "(\(now.milliseconds)", "+inf", "LIMIT", "0", "1000"), key: index)
            return ASCII.sortedByBytes(reply.array?.compactMap(\.text) ?? [])
        }
    }

    package func lock(
        _ name: String, owner: String, for duration: Duration, at now: Timestamp
    ) async throws(SessionBackendError) -> Bool {
        try await run { () async throws(RedisError) in
            let milliseconds = String(max(1, duration.wholeMicroseconds / 1000))
            return try await client.evaluate(Self.take, keys: [client.key(name)], arguments: [owner, milliseconds])
                == .integer(1)
        }
    }

    package func unlock(_ name: String, owner: String) async throws(SessionBackendError) {
        try await run { () async throws(RedisError) in
            _ = try await client.evaluate(Self.free, keys: [client.key(name)], arguments: [owner])
        }
    }

    /// Hears of sessions that other replicas have ended, until it is cancelled.
    package func follow(ended: @escaping @Sendable (_ key: String) -> Void) async {
        await RedisSubscriber(client, channels: [client.key(Self.endedChannel)]).run(onMessage: { _, payload in
            ended(String(decoding: payload, as: UTF8.self))
        })
    }

    private func run<Value>(_ body: () async throws(RedisError) -> Value) async throws(SessionBackendError) -> Value {
        do throws(RedisError) {
            return try await body()
        } catch {
            throw SessionBackendError(error.message)
        }
    }
}
