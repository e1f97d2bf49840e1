// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// Asks Open Policy Agent, or whatever speaks its data API, what it says to a question of the policy.
package final class OPAClient: Sendable {
    /// How the engine stands, for health pages.
    package struct Status: Sendable, Hashable {
        /// Nil until it was asked for the first time.
        package var isUp: Bool?
        /// `closed`, `half_open` or `open`.
        package var breaker: String
        /// Why the last call failed; nil after one that was answered.
        package var lastFailure: String?

        package init(isUp: Bool?, breaker: String, lastFailure: String?) {
            self.isUp = isUp
            self.breaker = breaker
            self.lastFailure = lastFailure
        }
    }

    private struct Health: Sendable {
        var isUp: Bool?
        var lastFailure: String?
        var heardAt: Timestamp?
        var toldAt: Timestamp?
    }

    /// What the client was made with.
    package let settings: OPAClientSettings
    private let transport: OPATransport
    private let clock: any WallClock
    private let logger: Logger
    private let metrics: OPAMetrics
    private let breaker = Mutex(CircuitBreaker())
    private let cache: Mutex<AnswerCache>
    private let health = Mutex(Health())

    package init(
        settings: OPAClientSettings, clock: any WallClock, logger: Logger, metricsFactory: any MetricsFactory
    ) {
        self.settings = settings
        self.clock = clock
        self.logger = logger
        transport = OPATransport(settings)
        metrics = OPAMetrics(factory: metricsFactory)
        cache = Mutex(AnswerCache(lifetime: settings.cacheLifetime))
    }

    /// How the engine stands.
    package var status: Status {
        let health = health.withLock { $0 }
        return Status(
            isUp: health.isUp, breaker: breaker.withLock { $0.state.name }, lastFailure: health.lastFailure)
    }

    /// The engine's answer, kept or new. Whatever goes wrong is `unavailable`.
    ///
    /// - Parameters:
    ///   - timeLeft: a call takes this at most, and never more than the setting.
    ///   - expiresIn: how long the credential is still good; an answer is kept no longer. Nil = it does not end.
    package func answer(
        _ question: PolicyQuestion, timeLeft: Duration, expiresIn: Duration?
    ) async -> EngineAnswer {
        let input = question.input.encoded(sortedNames: true)
        let revision = question.revision
        let key = AnswerCache.Key(input: input, revision: revision)
        let now = clock.now()
        if let kept = cache.withLock({ $0.answer(for: key, revision: revision, now: now) }) {
            metrics.cache(hit: true)
            return kept
        }
        if settings.cacheLifetime > .zero { metrics.cache(hit: false) }
        switch await call(input, limit: min(settings.timeout, timeLeft)) {
        case .success(let answer):
            // The credential has grown older during the call: what is left of it counts from before.
            cache.withLock { $0.keep(answer, for: key, revision: revision, now: now, expiresIn: expiresIn) }
            return answer
        case .failure(let failure):
            return .unavailable(failsOpen: settings.failsOpen && failure.mayFailOpen && question.mayFailOpen)
        }
    }

    /// Asks now and then whether the engine is there while nobody else asks it anything, until the task is cancelled.
    ///
    /// - Parameter sleep: how it waits; tests replace it.
    package func watch(
        every pause: Duration = .seconds(10),
        sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) async {
        while !Task.isCancelled {
            let now = clock.now()
            let heardAt = health.withLock(\.heardAt)
            let isFresh = heardAt.map { $0 <= now && now.microseconds - $0.microseconds < pause.wholeMicroseconds }
            if isFresh != true {
                let isUp = await transport.isUp(limit: settings.timeout)
                guard !Task.isCancelled else { return }
                note(isUp: isUp, failure: isUp ? nil : .connection("its server does not answer /health"))
            }
            do { try await sleep(pause) } catch { return }
        }
    }

    private func call(_ input: [UInt8], limit: Duration) async -> Result<EngineAnswer, OPACallFailure> {
        guard limit > .zero else {
            // Time ran out here before the engine could be asked: nothing was learnt about it, and being slow must open nothing.
            metrics.called(.cancelled, nanoseconds: 0)
            return .failure(.cancelled)
        }
        guard let permit = permit() else {
            metrics.called(.breakerOpen, nanoseconds: 0)
            return .failure(.breakerOpen)
        }
        var body = Array(#"{"input":"#.utf8)
        body.reserveCapacity(input.count + 10)
        body += input
        body.append(UInt8(ascii: "}"))
        let watch = Stopwatch()
        let result = await transport.post(body, limit: limit).flatMap { bytes in
            EngineAnswerReader.read(bytes).mapError { OPACallFailure.unreadable($0) }
        }
        var failure: OPACallFailure?
        if case .failure(let reason) = result { failure = reason }
        metrics.called(failure, nanoseconds: watch.nanoseconds)
        ended(permit, failure)
        return result
    }

    private func permit() -> CircuitBreaker.Permit? {
        let now = clock.now()
        let (permit, state) = breaker.withLock { ($0.permit(at: now), $0.state) }
        if state == .probing { metrics.breaker(state) }
        return permit
    }

    private func ended(_ permit: CircuitBreaker.Permit, _ failure: OPACallFailure?) {
        let now = clock.now()
        let outcome = failure?.outcome ?? .answered
        let (changed, state) = breaker.withLock { ($0.ended(permit, outcome, at: now), $0.state) }
        if changed {
            metrics.breaker(state)
            logger.log(
                level: state.name == "open" ? .warning : .notice, "policy engine breaker",
                metadata: [
                    LogKeys.status: "\(state.name)", LogKeys.url: "\(settings.endpoint)",
                    LogKeys.reason: "\(failure?.detail ?? "answered")",
                ])
        }
        switch outcome {
        case .answered, .failed: note(isUp: outcome == .answered, failure: failure)
        case .abandoned: break
        }
    }

    private func note(isUp: Bool, failure: OPACallFailure?) {
        let now = clock.now()
        let isNews = health.withLock { health in
            let changed = health.isUp != isUp || (health.lastFailure == nil) != (failure == nil)
            // An engine that answers every other call would fill the log.
            let isQuiet = health.toldAt.map { abs(now.microseconds - $0.microseconds) >= 1_000_000 } ?? true
            health.isUp = isUp
            health.lastFailure = failure?.summary
            health.heardAt = now
            guard changed, isQuiet else { return false }
            health.toldAt = now
            return true
        }
        metrics.isUp(isUp)
        guard isNews else { return }
        logger.log(
            level: failure == nil ? .notice : .warning, "policy engine",
            metadata: [
                LogKeys.status: isUp ? "up" : "down", LogKeys.url: "\(settings.endpoint)",
                LogKeys.reason: "\(failure?.detail ?? "answers")",
            ])
    }
}
