// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Logging
internal import Metrics
internal import Synchronization
internal import TestSupport

/// A network that answers when a test says so.
final class FakeKeySetFetcher: KeySetFetching {
    typealias Answer = Result<FetchedDocument, KeySetFetchError>

    private struct State {
        var waiting: [CheckedContinuation<Answer, Never>] = []
        var started = 0
        var most = 0
    }

    private let state = Mutex(State())
    private let starts: AsyncStream<RemoteKeySource>
    private let starter: AsyncStream<RemoteKeySource>.Continuation

    init() { (starts, starter) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000)) }

    /// The most fetches that ran at once.
    var mostAtOnce: Int { state.withLock { $0.most } }
    var started: Int { state.withLock { $0.started } }

    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument {
        let answer: Answer = await withCheckedContinuation { continuation in
            state.withLock { state in
                state.started += 1
                state.waiting.append(continuation)
                state.most = max(state.most, state.waiting.count)
            }
            starter.yield(source)
        }
        return try answer.get()
    }

    /// Returns when the next fetch has begun.
    func nextStart() async -> RemoteKeySource? {
        for await source in starts { return source }
        return nil
    }

    /// Ends the oldest running fetch.
    func answer(_ answer: Answer) {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }?.resume(returning: answer)
    }

    func serve(_ jwks: JSONValue...) {
        answer(.success(FetchedDocument(body: JSONValue.object(["keys": .array(jwks)]).encoded(), cacheControl: nil)))
    }
}

/// Sleepers that a test wakes.
final class ManualSleep: Sendable {
    private struct State {
        var sleepers: [(duration: Duration, continuation: CheckedContinuation<Void, any Error>)] = []
        var isOver = false
    }

    private let state = Mutex(State())
    private let starts: AsyncStream<Duration>
    private let starter: AsyncStream<Duration>.Continuation

    init() { (starts, starter) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000)) }

    var sleep: @Sendable (Duration) async throws -> Void {
        { duration in
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let isOver = self.state.withLock { state -> Bool in
                        guard !state.isOver, !Task.isCancelled else { return true }
                        state.sleepers.append((duration, continuation))
                        return false
                    }
                    if isOver { continuation.resume(throwing: CancellationError()) }
                    self.starter.yield(duration)
                }
            } onCancel: {
                self.end()
            }
        }
    }

    /// The length of the next sleep that begins.
    func nextSleep() async -> Duration? {
        for await duration in starts { return duration }
        return nil
    }

    /// Wakes everybody who sleeps now.
    func wakeAll() {
        let sleepers = state.withLock { state in
            defer { state.sleepers = [] }
            return state.sleepers
        }
        for sleeper in sleepers { sleeper.continuation.resume() }
    }

    /// Every sleep, now and later, fails as a cancelled one does.
    private func end() {
        let sleepers = state.withLock { state in
            defer { state.sleepers = [] }
            state.isOver = true
            return state.sleepers
        }
        for sleeper in sleepers { sleeper.continuation.resume(throwing: CancellationError()) }
    }
}

extension RemoteKeySets {
    static func forTests(
        fetcher: any KeySetFetching = FakeKeySetFetcher(), settings: KeySetSettings = KeySetSettings(),
        clock: ManualClock = ManualClock(), sleep: ManualSleep = ManualSleep(),
        metricsFactory: any MetricsFactory = NOOPMetricsHandler.instance
    ) -> RemoteKeySets {
        RemoteKeySets(
            fetcher: fetcher, settings: settings, clock: clock, random: SeededRandom(seed: 7),
            logger: Logger(label: "tests", factory: { _ in SwiftLogNoOpLogHandler() }), metricsFactory: metricsFactory,
            sleep: sleep.sleep)
    }
}
