// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Metrics
internal import Synchronization

/// Counts requests in this process, in bounded memory.
///
/// Keys are spread over parts with a lock each. A request with several limits holds the locks of all its keys, in the order of the parts, while
/// it is decided: what it finds is what it counts in.
package final class MemoryRequestLimitStore: RequestLimitStore {
    private final class Shard: Sendable {
        let state: Mutex<ShardState>

        init(capacity: Int) { state = Mutex(ShardState(capacity: capacity)) }
    }

    private struct ShardState {
        var counters: LRUCache<RequestLimitKey, LimitCounters>
        /// The second of the last search for keys with nothing counted.
        var swept: Int64 = .min

        init(capacity: Int) { counters = LRUCache(capacity: capacity) }
    }

    /// A limit with the place of its key.
    private struct Place {
        var shard: Int
        var index: Int
    }

    private let shards: [Shard]
    private let idleEvictions: Counter
    private let liveEvictions: Counter
    private let keys: Gauge

    /// - Parameters:
    ///   - maxKeys: how many keys are kept; beyond that those with nothing counted go first, then those used least recently.
    ///   - shardCount: how many locks there are; a power of two.
    package init(maxKeys: Int, shardCount: Int = 64, metricsFactory: any MetricsFactory) {
        let count = max(1, min(shardCount, maxKeys))
        let capacity = (max(1, maxKeys) + count - 1) / count
        shards = (0..<count).map { _ in Shard(capacity: capacity) }
        func counter(_ state: String) -> Counter {
            let counter = Counter(
                label: "tollgate_rate_limit_evictions_total", dimensions: [("state", state)], factory: metricsFactory)
            counter.increment(by: 0)
            return counter
        }
        idleEvictions = counter("idle")
        liveEvictions = counter("live")
        keys = Gauge(label: "tollgate_rate_limit_keys", factory: metricsFactory)
        keys.record(0)
    }

    /// How many keys are kept.
    package var keyCount: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.counters.count } } }

    /// Shows how many keys are kept; called when somebody looks at the metrics.
    package func recordKeys() { keys.record(Int64(keyCount)) }

    package func take(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer
    { decide(limits, at: now, counts: true) }

    package func look(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer
    { decide(limits, at: now, counts: false) }

    package func giveBack(_ limits: [RequestLimit], _ answer: RequestLimitAnswer) async {
        for limit in limits {
            shards[shard(of: limit.key)].state.withLock { state in
                _ = state.counters.updateIfPresent(limit.key) { $0.giveBack(limit.rate, countedAt: answer.countedAt) }
            }
        }
    }

    /// Counts what a shared store has counted, whether there is room or not: so that this process knows its own share when it is left alone.
    ///
    /// - Returns: the instant under which it was counted.
    package func mirror(_ limits: [RequestLimit], at now: Timestamp) -> Timestamp {
        for limit in limits {
            shards[shard(of: limit.key)].state.withLock { state in count(limit, at: now, in: &state) }
        }
        return now
    }

    private func shard(of key: RequestLimitKey) -> Int { Int(UInt(bitPattern: key.hashValue) % UInt(shards.count)) }

    private func decide(_ limits: [RequestLimit], at now: Timestamp, counts: Bool) -> RequestLimitAnswer {
        var answer = RequestLimitAnswer(isAdmitted: true, windows: [], countedAt: now)
        answer.windows.reserveCapacity(limits.count * LimitWindow.allCases.count)
        if limits.count == 1 {
            visit([Place(shard: shard(of: limits[0].key), index: 0)], limits, now: now, counts: counts, answer: &answer)
        } else {
            var places = limits.indices.map { Place(shard: shard(of: limits[$0].key), index: $0) }
            places.sort { ($0.shard, $0.index) < ($1.shard, $1.index) }
            visit(places[...], limits, now: now, counts: counts, answer: &answer)
            answer.windows.sort { ($0.limitIndex, $0.window.seconds) < ($1.limitIndex, $1.window.seconds) }
        }
        if counts, answer.isAdmitted {
            for index in answer.windows.indices { answer.windows[index].remaining -= 1 }
        }
        return answer
    }

    /// Looks at the keys of one lock, then at those behind it, and counts on the way back when all had room.
    private func visit(
        _ places: ArraySlice<Place>, _ limits: [RequestLimit], now: Timestamp, counts: Bool,
        answer: inout RequestLimitAnswer
    ) {
        guard let first = places.first else { return }
        let here = places.prefix { $0.shard == first.shard }
        shards[first.shard].state.withLock { state in
            for place in here {
                let limit = limits[place.index]
                let known: Void? = state.counters.updateIfPresent(limit.key) {
                    $0.assess(limit, index: place.index, now: now, answer: &answer)
                }
                if known == nil {
                    var none = LimitCounters()
                    none.assess(limit, index: place.index, now: now, answer: &answer)
                }
            }
            visit(places.dropFirst(here.count), limits, now: now, counts: counts, answer: &answer)
            guard counts, answer.isAdmitted else { return }
            for place in here { count(limits[place.index], at: answer.countedAt, in: &state) }
        }
    }

    private func count(_ limit: RequestLimit, at instant: Timestamp, in state: inout ShardState) {
        let known: Void? = state.counters.updateIfPresent(limit.key) { $0.count(limit.rate, at: instant) }
        guard known == nil else { return }
        if state.counters.count >= state.counters.capacity { makeRoom(in: &state, at: instant) }
        var counters = LimitCounters()
        counters.count(limit.rate, at: instant)
        if state.counters.insert(counters, for: limit.key) != nil { liveEvictions.increment() }
    }

    /// Forgets keys with nothing counted, at most once a second: the search goes over the whole part.
    private func makeRoom(in state: inout ShardState, at now: Timestamp) {
        guard state.swept != now.seconds else { return }
        state.swept = now.seconds
        let gone = state.counters.removeAll { $0.isIdle(at: now) }
        if gone > 0 { idleEvictions.increment(by: gone) }
    }
}
