// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
package import Metrics
internal import Synchronization

/// Shares failed authentications among replicas, through one bounded stream that forgets by itself.
///
/// Each replica adds what happens to it and reads what happened to the others, from where it stopped; a new one, and one that was cut off,
/// reads what still counts. Redis' clock joins them: an event says how old it was when it was added, so that clocks of replicas may differ.
/// An event that was added twice, because the answer to the first time did not come, counts once.
package final class RedisFailureSharing: FailureSharing {
    /// Events that wait to be added, with the number of each in this process.
    private struct Waiting: Sendable {
        var events: [(number: Int64, event: FailureEvent)] = []
        var last: Int64 = 0
    }

    /// Events that wait to be added; beyond it the oldest go.
    private static let maximumWaiting = 1000
    private static let batch = 100
    /// Processes whose last event is remembered.
    private static let maximumOrigins = 10_000
    /// Events that the stream keeps, about.
    private static let maximumKept = "20000"

    private let client: RedisClient
    private let key: String
    private let origin: String
    private let intervalSeconds: Int64
    private let clock: any WallClock
    private let waiting = Mutex(Waiting())
    private let arrived = Signal()
    private let lost: Counter

    /// - Parameters:
    ///   - intervalSeconds: for how long a failure counts.
    ///   - random: draws the name by which this process knows its own events.
    package init(
        _ client: RedisClient, intervalSeconds: Int64, clock: any WallClock, random: any RandomSource,
        metricsFactory: any MetricsFactory
    ) {
        self.client = client
        self.intervalSeconds = intervalSeconds
        self.clock = clock
        key = client.key("tollgate:failures")
        origin = Hex.encode(random.bytes(8))
        lost = Counter(label: "tollgate_auth_failures_unshared_total", factory: metricsFactory)
        lost.increment(by: 0)
    }

    package func share(_ event: FailureEvent) {
        let isFull = waiting.withLock { waiting in
            waiting.last += 1
            waiting.events.append((waiting.last, event))
            guard waiting.events.count > Self.maximumWaiting else { return false }
            waiting.events.removeFirst()
            return true
        }
        if isFull { lost.increment() }
        arrived.call()
    }

    /// Passes events on and takes those of others until it is cancelled.
    package func run(apply: @escaping @Sendable (FailureEvent) -> Void) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.write() }
            group.addTask { await self.read(apply) }
        }
    }

    private func write() async {
        var failures = 0
        while !Task.isCancelled {
            let events = waiting.withLock { Array($0.events.prefix(Self.batch)) }
            guard let last = events.last else {
                await arrived.wait()
                continue
            }
            do throws(RedisError) {
                let replies = try await client.send(
                    events.map(command) + [RedisCommand("PEXPIRE", key, String(intervalSeconds * 2000))], key: key)
                for case .failure(let failure) in replies { throw RedisError(failure) }
                waiting.withLock { $0.events.removeAll { $0.number <= last.number } }
                failures = 0
            } catch {
                failures += 1
                // What counts no more is passed on to nobody.
                let now = clock.now()
                let gone = waiting.withLock { waiting in
                    let before = waiting.events.count
                    waiting.events.removeAll { _, event in
                        guard case .failed(_, let instant) = event else { return false }
                        return instant.adding(seconds: intervalSeconds) <= now
                    }
                    return before - waiting.events.count
                }
                lost.increment(by: gone)
                // Cancelled: the loop ends by itself.
                try? await client.pause(afterFailures: failures)
            }
        }
    }

    private func command(_ number: Int64, _ event: FailureEvent) -> RedisCommand {
        let (kind, value, age): (String, String, Int64) =
            switch event {
            case .failed(.address(let address), let instant): ("ip", "\(address)", age(instant))
            case .failed(.identity(let identity), let instant): ("identity", identity, age(instant))
            case .cleared(let key): ("clear", key, 0)
            }
        return RedisCommand(
            words: [
                "XADD", key, "MAXLEN", "~", Self.maximumKept, "*", "o", origin, "n", String(number), "k", kind, "v",
                value,
                "a", String(age),
            ])
    }

    private func age(_ instant: Timestamp) -> Int64 { max(0, clock.now().milliseconds - instant.milliseconds) }

    private func read(_ apply: @Sendable (FailureEvent) -> Void) async {
        var failures = 0
        var last: String?
        // The last event of each process: its events come in the order of their numbers.
        var known: [String: Int64] = [:]
        while !Task.isCancelled {
            do throws(RedisError) {
                let connection = try await client.dedicated(key: key)
                defer { connection.close() }
                let ahead = try await ahead(of: connection)
                let start = max(0, clock.now().milliseconds + ahead - intervalSeconds * 1000)
                var id = last ?? "\(start)-0"
                while !Task.isCancelled {
                    let reply = try await connection.wait(
                        RedisCommand("XREAD", "COUNT", "500", "BLOCK", "2000", "STREAMS", key, id),
                        within: .seconds(2) + client.settings.connectTimeout)
                    failures = 0
                    for entry in RedisStreamEntry.read(reply) {
                        id = entry.id
                        last = id
                        guard let source = entry.text("o"), source != origin,
                            let number = entry.text("n").flatMap({ Int64($0) }), number > known[source] ?? 0
                        else { continue }
                        if known.count >= Self.maximumOrigins { known = [:] }
                        known[source] = number
                        if let event = event(entry, ahead: ahead) { apply(event) }
                    }
                }
            } catch {
                failures += 1
            }
            // Cancelled: the loop ends by itself.
            try? await client.pause(afterFailures: max(1, failures))
        }
    }

    /// How many milliseconds Redis' clock is ahead of this one.
    private func ahead(of connection: RedisConnection) async throws(RedisError) -> Int64 {
        let time = try await connection.send(RedisCommand("TIME"), within: client.settings.connectTimeout).array
        guard let time, time.count == 2, let seconds = time[0].integer, let micros = time[1].integer,
            (0...Int64(1) << 33).contains(seconds), (0..<1_000_000).contains(micros)
        else {
            throw RedisError(.malformed, "Redis does not tell the time")
        }
        return seconds * 1000 + micros / 1000 - clock.now().milliseconds
    }

    private func event(_ entry: RedisStreamEntry, ahead: Int64) -> FailureEvent? {
        guard let kind = entry.text("k"), let value = entry.text("v"),
            let age = entry.text("a").flatMap({ Int64($0) }), (0...Int64(1) << 40).contains(age),
            let added = entry.milliseconds
        else { return nil }
        let instant = Timestamp(microseconds: (added - age - ahead) * 1000)
        switch kind {
        case "ip": return IPAddress(value).map { .failed(.address($0), at: instant) }
        case "identity": return .failed(.identity(value), at: instant)
        case "clear": return .cleared(value)
        default: return nil
        }
    }
}
