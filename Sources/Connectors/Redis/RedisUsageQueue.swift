// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials
internal import Synchronization

/// The queue of usage events as a stream of Redis with one group of workers; Redis 6.2 or later.
///
/// Done entries are deleted: the stream holds what is not done. Dead ones go to a stream beside it, first there and then away from here, so that
/// one that is cut off in between is there twice rather than nowhere.
package final class RedisUsageQueue: UsageQueue {
    private static let group = "billing"
    private static let field = "event"

    private let client: RedisClient
    private let stream: String
    private let deadStream: String
    /// The connection on which a worker waits: others would wait behind it.
    private let waiting = Mutex<RedisConnection?>(nil)
    private let oneWaits = SerialLock()

    package init(_ client: RedisClient) {
        self.client = client
        stream = client.key("tollgate:usage")
        deadStream = client.key("tollgate:usage:dead")
    }

    deinit { waiting.withLock { $0 }?.close() }

    package func add(_ payload: [UInt8]) async throws(QueueError) -> String {
        guard payload.count <= UsageQueueRules.maximumPayloadBytes else {
            throw QueueError(
                .tooLarge, "an entry has at most \(UsageQueueRules.maximumPayloadBytes) bytes, not \(payload.count)")
        }
        do throws(RedisError) {
            let reply = try await client.send(
                RedisCommand("XADD", stream, "*", Self.field).adding(payload), key: stream)
            guard let id = reply.text else { throw RedisError(.malformed, "XADD does not tell an id") }
            return id
        } catch {
            throw Self.fault(error)
        }
    }

    package func add(_ payloads: [[UInt8]]) async throws(QueueError) {
        for payload in payloads where payload.count > UsageQueueRules.maximumPayloadBytes {
            throw QueueError(
                .tooLarge, "an entry has at most \(UsageQueueRules.maximumPayloadBytes) bytes, not \(payload.count)")
        }
        guard !payloads.isEmpty else { return }
        do throws(RedisError) {
            let replies = try await client.send(
                payloads.map { RedisCommand("XADD", stream, "*", Self.field).adding($0) }, key: stream)
            for case .failure(let failure) in replies { throw RedisError(failure) }
        } catch {
            throw Self.fault(error)
        }
    }

    package func take(most: Int, by worker: String, waiting limit: Duration) async throws(QueueError) -> [QueueEntry] {
        let words = ["XREADGROUP", "GROUP", Self.group, worker, "COUNT", String(max(1, most))]
        do throws(RedisError) {
            let reply = try await inGroup { () async throws(RedisError) in
                guard limit > .zero else {
                    return try await self.client.send(
                        RedisCommand(words: words + ["STREAMS", self.stream, ">"]), key: self.stream)
                }
                let block = ["BLOCK", String(max(1, limit.wholeMicroseconds / 1000)), "STREAMS", self.stream, ">"]
                return try await self.wait(RedisCommand(words: words + block), within: limit)
            }
            return RedisStreamEntry.read(reply).map { Self.entry($0, deliveries: 1) }
        } catch {
            throw Self.fault(error)
        }
    }

    package func reclaim(most: Int, by worker: String, idle: Duration) async throws(QueueError) -> [QueueEntry] {
        let command = RedisCommand(
            "XAUTOCLAIM", stream, Self.group, worker, String(max(0, idle.wholeMicroseconds / 1000)), "0-0", "COUNT",
            String(max(1, most)))
        do throws(RedisError) {
            let reply = try await inGroup { () async throws(RedisError) in
                try await self.client.send(command, key: self.stream)
            }
            guard let members = reply.array, members.count >= 2 else {
                throw RedisError(.malformed, "XAUTOCLAIM answers something else")
            }
            let entries = RedisStreamEntry.list(members[1])
            guard !entries.isEmpty else { return [] }
            let counts = try await client.send(
                entries.map { RedisCommand("XPENDING", stream, Self.group, $0.id, $0.id, "1") }, key: stream)
            return zip(entries, counts).map { entry, pending in
                let deliveries = pending.array?.first?.array?.last?.integer
                return Self.entry(entry, deliveries: Int(deliveries ?? 1))
            }
        } catch {
            throw Self.fault(error)
        }
    }

    package func done(_ ids: [String]) async throws(QueueError) {
        guard !ids.isEmpty else { return }
        do throws(RedisError) {
            let replies = try await client.send(
                [
                    RedisCommand(words: ["XACK", stream, Self.group] + ids),
                    RedisCommand(words: ["XDEL", stream] + ids),
                ], key: stream)
            for case .failure(let failure) in replies { throw RedisError(failure) }
        } catch {
            throw Self.fault(error)
        }
    }

    package func bury(_ entry: QueueEntry, reason: String) async throws(QueueError) {
        do throws(RedisError) {
            _ = try await client.send(
                RedisCommand(
                    "XADD", deadStream, "MAXLEN", "~", String(UsageQueueRules.maximumDead), "*", "id", entry.id,
                    "deliveries", String(entry.deliveries), "reason", String(reason.prefix(512)), Self.field
                ).adding(entry.payload), key: deadStream)
        } catch {
            throw Self.fault(error)
        }
        try await done([entry.id])
    }

    package func depth() async throws(QueueError) -> QueueDepth {
        do throws(RedisError) {
            let entries = try await client.send(RedisCommand("XLEN", stream), key: stream).integer ?? 0
            let pending = try await inGroup { () async throws(RedisError) in
                try await self.client.send(RedisCommand("XPENDING", self.stream, Self.group), key: self.stream)
            }
            let dead = try await client.send(RedisCommand("XLEN", deadStream), key: deadStream).integer ?? 0
            return QueueDepth(
                entries: Int(entries), inWork: Int(pending.array?.first?.integer ?? 0), dead: Int(dead))
        } catch {
            throw Self.fault(error)
        }
    }

    /// Runs a command of the group, and makes the group where there is none: at first, and after Redis was flushed.
    private func inGroup(
        _ body: () async throws(RedisError) -> RESPValue
    ) async throws(RedisError) -> RESPValue {
        do throws(RedisError) {
            return try await body()
        } catch {
            guard error.reply?.code == "NOGROUP" else { throw error }
            let made = try await client.send(
                [RedisCommand("XGROUP", "CREATE", stream, Self.group, "0", "MKSTREAM")], key: stream)[0]
            // Another worker may have been first.
            if case .failure(let failure) = made, failure.code != "BUSYGROUP" { throw RedisError(failure) }
            return try await body()
        }
    }

    private func wait(_ command: RedisCommand, within limit: Duration) async throws(RedisError) -> RESPValue {
        try await oneWaits.withLock { () async throws(RedisError) in
            var connection = waiting.withLock { $0.flatMap { $0.isClosed ? nil : $0 } }
            if connection == nil {
                connection = try await client.dedicated(key: stream)
                waiting.withLock { $0 = connection }
            }
            guard let connection else { throw RedisError(.away, "there is no connection") }
            do throws(RedisError) {
                return try await connection.wait(command, within: limit + client.settings.connectTimeout)
            } catch {
                // Without its answer nobody knows what else would come of it, and a server that is not the queue's any more says so for
                // ever. That there is no group is the queue's own answer.
                if error.reply?.code != "NOGROUP" { connection.close() }
                throw error
            }
        }
    }

    private static func entry(_ entry: RedisStreamEntry, deliveries: Int) -> QueueEntry {
        QueueEntry(id: entry.id, payload: entry.fields[field] ?? [], deliveries: deliveries)
    }

    private static func fault(_ error: RedisError) -> QueueError { QueueError(.away, error.message) }
}
