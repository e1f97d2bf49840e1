// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// Holds the key sets that are fetched from outside and keeps them fresh while `run` runs.
///
/// Requests only ever read what is there. One fetch at a time per source; failures are retried after 1 s, doubling to 30 s; a set is refreshed at
/// about 80 % of its time to live and used for a bounded time past its end.
package final class RemoteKeySets: Sendable {
    private let fetcher: any KeySetFetching
    private let settings: KeySetSettings
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger
    private let metricsFactory: any MetricsFactory
    private let sleep: @Sendable (Duration) async throws -> Void
    private let slots = Mutex<[RemoteKeySource: RemoteKeySlot]>([:])
    private let firstSets = FirstSetsGate()
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    /// Holds nothing until `use` says what is wanted.
    ///
    /// - Parameter sleep: how the runner waits; tests replace it.
    package init(
        fetcher: any KeySetFetching, settings: KeySetSettings = KeySetSettings(), clock: any WallClock,
        random: any RandomSource, logger: Logger, metricsFactory: any MetricsFactory,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.fetcher = fetcher
        self.settings = settings
        self.clock = clock
        self.random = random
        self.logger = logger
        self.metricsFactory = metricsFactory
        self.sleep = sleep
        (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Says which sources are wanted: new ones are fetched at once, the sets of others are dropped.
    package func use(_ sources: Set<RemoteKeySource>) {
        let now = clock.now()
        slots.withLock { slots in
            for (source, slot) in slots where !sources.contains(source) {
                slot.retire()
                slots[source] = nil
            }
            for source in sources where slots[source] == nil {
                let metrics = KeySetMetrics(issuer: source.label, factory: metricsFactory)
                slots[source] = RemoteKeySlot(source: source, settings: settings, metrics: metrics, now: now)
            }
        }
        updateGate()
        waker.yield()
    }

    /// Returns as soon as every wanted set is there, or after the limit.
    package func waitForFirstSets(atMost limit: Duration) async {
        updateGate()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.firstSets.wait() }
            // A cancelled wait ends like one that has run out.
            group.addTask { try? await self.sleep(limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// How every wanted set stands, sorted by label.
    package func status() -> [KeySetStatus] {
        let now = clock.now()
        return slots.withLock { Array($0.values) }.map { $0.status(now: now) }
            .sorted { ($0.source.label, $0.source.url) < ($1.source.label, $1.source.url) }
    }

    /// Records the age of every set in its gauge; to be called before metrics are read.
    package func recordAges() {
        let now = clock.now()
        for slot in slots.withLock({ Array($0.values) }) {
            slot.metrics.record(fetchedAt: slot.status(now: now).fetchedAt, now: now)
        }
    }

    /// Keeps the sets fresh until the task is cancelled. Runs once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            waker.yield()
            for await _ in wake {
                let now = clock.now()
                for slot in slots.withLock({ Array($0.values) }) {
                    switch slot.nextAction(now: now) {
                    case .fetch: group.addTask { await self.fetch(slot) }
                    case .wait(let instant): group.addTask { await self.wake(at: instant, now: now) }
                    case .none: break
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// The place of a wanted source's set.
    func slot(for source: RemoteKeySource) -> RemoteKeySlot? { slots.withLock { $0[source] } }

    /// A token named a key that the set does not have; starts a fetch when one is due.
    func missesKey(in slot: RemoteKeySlot, now: Timestamp) -> KeySetStateMachine.MissingKeyAnswer {
        let (answer, wakes) = slot.missesKey(now: now)
        if wakes { waker.yield() }
        return answer
    }

    private func wake(at instant: Timestamp, now: Timestamp) async {
        let pause = Duration.microseconds(max(0, instant.microseconds - now.microseconds))
        // Cancelled: the runner is ending and nobody listens.
        guard (try? await sleep(pause)) != nil else { return }
        waker.yield()
    }

    private func fetch(_ slot: RemoteKeySlot) async {
        do throws(KeySetFetchError) {
            let document = try await fetcher.fetch(slot.source, timeout: settings.timeout)
            let keys: KeySet
            do {
                keys = try KeySet(bytes: document.body)
            } catch {
                throw KeySetFetchError(.badKeySet, error.description, cause: error)
            }
            let jitter = random.bytes(2).reduce(0.0) { ($0 + Double($1)) / 256 }
            let now = clock.now()
            slot.succeeded(keys, cacheControl: document.cacheControl, jitter: jitter, now: now)
            slot.metrics.fetched(succeeded: true)
            slot.metrics.record(fetchedAt: now, now: now)
            logSkipped(keys, of: slot.source)
            updateGate()
        } catch {
            let failures = slot.failed(error, now: clock.now())
            slot.metrics.fetched(succeeded: false)
            logger.log(
                level: failures == 1 ? .warning : .debug, "key set not fetched",
                metadata: [
                    LogKeys.issuer: .string(slot.source.label), LogKeys.url: .string(slot.source.url),
                    LogKeys.error: .string(error.description),
                ])
        }
        waker.yield()
    }

    private func logSkipped(_ keys: KeySet, of source: RemoteKeySource) {
        guard !keys.problems.isEmpty else { return }
        logger.debug(
            "keys of a key set skipped",
            metadata: [
                LogKeys.issuer: .string(source.label),
                LogKeys.reason: .string(keys.problems.map(\.description).joined(separator: "; ")),
            ])
    }

    private func updateGate() {
        let now = clock.now()
        firstSets.set(open: slots.withLock { Array($0.values) }.allSatisfy { $0.keys(now: now) != nil })
    }
}
