// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Metrics
internal import Synchronization

/// Counts requests in a store that replicas share, and in this process where that store cannot be asked: no request fails or waits for it.
///
/// What the shared store counted is counted in the process as well. When the shared store goes away each replica goes on from its own share, and
/// when it comes back it counts on from what it knew: in between the replicas together let through at most as many times the limit as
/// there are replicas.
package final class SharedRequestLimitStore: RequestLimitStore {
    private let shared: any RequestLimitStore
    private let local: MemoryRequestLimitStore
    private let degraded: Gauge
    private let sharedCount: Counter
    private let localCount: Counter
    private let isAlone = Mutex(false)

    /// - Parameters:
    ///   - shared: throws when it cannot be asked, after a bounded time.
    ///   - local: takes its place.
    package init(
        shared: any RequestLimitStore, local: MemoryRequestLimitStore, metricsFactory: any MetricsFactory
    ) {
        self.shared = shared
        self.local = local
        degraded = Gauge(label: "tollgate_rate_limit_store_degraded", factory: metricsFactory)
        degraded.record(0)
        func counter(_ store: String) -> Counter {
            let counter = Counter(
                label: "tollgate_rate_limit_store_total", dimensions: [("store", store)], factory: metricsFactory)
            counter.increment(by: 0)
            return counter
        }
        sharedCount = counter("shared")
        localCount = counter("memory")
    }

    /// Whether the last request was counted by this process alone.
    package var isDegraded: Bool { isAlone.withLock { $0 } }

    package func take(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer
    {
        do throws(Refusal) {
            var answer = try await shared.take(limits, at: now, timeLeft: timeLeft)
            told(isAlone: false)
            answer.sharedAt = answer.countedAt
            answer.countedAt = answer.isAdmitted ? local.mirror(limits, at: now) : now
            return answer
        } catch {
            told(isAlone: true)
            return try await local.take(limits, at: now, timeLeft: timeLeft)
        }
    }

    package func look(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer
    {
        do throws(Refusal) {
            return try await shared.look(limits, at: now, timeLeft: timeLeft)
        } catch {
            return try await local.look(limits, at: now, timeLeft: timeLeft)
        }
    }

    package func giveBack(_ limits: [RequestLimit], _ answer: RequestLimitAnswer) async {
        await local.giveBack(limits, answer)
        guard let sharedAt = answer.sharedAt else { return }
        var counted = answer
        counted.countedAt = sharedAt
        await shared.giveBack(limits, counted)
    }

    private func told(isAlone now: Bool) {
        (now ? localCount : sharedCount).increment()
        let changed = isAlone.withLock { isAlone in
            defer { isAlone = now }
            return isAlone != now
        }
        if changed { degraded.record(now ? 1 : 0) }
    }
}
