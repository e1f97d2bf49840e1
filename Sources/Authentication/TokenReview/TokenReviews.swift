// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
internal import Synchronization

/// Asks the cluster about tokens that it has made, while `run` runs.
///
/// A token is asked about once at a time, whoever waits; answers are kept for a short time, faults never. Nobody waits longer than the
/// bound of one question; one that outlives its asker goes on, so that the answer is there for the next request.
package final class TokenReviews: Sendable {
    private static let maximumJobs = 64

    private typealias Waiter = AsyncStream<ReviewedToken>.Continuation

    private struct State: Sendable {
        var cache: ReviewCache
        var budget: ReviewBudget
        var waiting: [PendingReview.Key: [Waiter]] = [:]
        var clusterIssuer: String?
    }

    private enum Joining {
        case known(ReviewedToken)
        case begun, joined, exhausted
    }

    private let reviewer: any TokenReviewing
    private let settings: TokenReviewSettings
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let metrics: AuthenticationMetrics
    private let logger: Logger
    private let state: Mutex<State>
    private let warning = WarningThrottle()
    private let jobs: AsyncStream<PendingReview>
    private let jobSource: AsyncStream<PendingReview>.Continuation

    /// - Parameter time: for the bounds on time and number; tests drive it.
    package init(
        reviewer: any TokenReviewing, settings: TokenReviewSettings = TokenReviewSettings(), clock: any WallClock,
        time: any MonotonicClock = SystemMonotonicClock(), metrics: AuthenticationMetrics, logger: Logger
    ) {
        self.reviewer = reviewer
        self.settings = settings
        self.clock = clock
        self.time = time
        self.metrics = metrics
        self.logger = logger
        state = Mutex(
            State(cache: ReviewCache(capacity: settings.cacheCapacity), budget: ReviewBudget(now: time.now())))
        (jobs, jobSource) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.maximumJobs))
    }

    /// Says who makes the cluster's tokens. While nobody has said it, every issuer that no entry takes may be the cluster.
    package func use(clusterIssuer: String?) { state.withLock { $0.clusterIssuer = clusterIssuer } }

    /// How many answers are kept.
    package var keptAnswers: Int { state.withLock(\.cache.count) }

    /// How many questions are under way.
    package var questionsUnderWay: Int { state.withLock(\.waiting.count) }

    /// Asks what has to be asked until the task is cancelled. Runs once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for await pending in jobs { group.addTask { await self.ask(pending) } }
            group.cancelAll()
        }
    }

    /// What is known of a token by an earlier answer.
    func kept(_ key: PendingReview.Key, now: Timestamp) -> ReviewedToken? {
        state.withLock { $0.cache.token(key, now: now) }
    }

    /// Whether tokens of this issuer are the cluster's to judge.
    func judges(issuer: String, beside issuers: IssuerTable) -> Bool {
        guard let own = state.withLock(\.clusterIssuer) else { return issuers.entry(issuer: issuer) == nil }
        return own.isExactly(issuer) && !issuers.hasEntry(issuer: issuer)
    }

    /// Waits for what the cluster says, at most so long. Never throws: no answer is a verdict too.
    func review(_ pending: PendingReview, timeLeft: Duration?) async -> ReviewedToken {
        let limit = min(settings.timeout, timeLeft ?? settings.timeout)
        guard limit > .zero else { return pending.reviewed(.unavailable(retryAfterSeconds: 1)) }
        let (answers, waiter) = AsyncStream<ReviewedToken>.makeStream(bufferingPolicy: .bufferingNewest(1))
        switch join(pending.key, waiter) {
        case .known(let token): return token
        case .exhausted:
            metrics.reviewed(.limited)
            return pending.reviewed(.unavailable(retryAfterSeconds: 1))
        case .begun:
            if case .enqueued = jobSource.yield(pending) { break }
            settle(pending.reviewed(.unavailable(retryAfterSeconds: 1)))
        case .joined: break
        }
        let found = await time.limited(to: limit) { () -> ReviewedToken? in
            for await token in answers { return token }
            return nil
        }
        return found.flatMap(\.self) ?? pending.reviewed(.unavailable(retryAfterSeconds: 1))
    }

    private func join(_ key: PendingReview.Key, _ waiter: Waiter) -> Joining {
        let (now, instant) = (clock.now(), time.now())
        return state.withLock { state in
            if let known = state.cache.token(key, now: now) { return .known(known) }
            if state.waiting[key] != nil {
                state.waiting[key]?.append(waiter)
                return .joined
            }
            guard state.budget.take(now: instant) else { return .exhausted }
            state.waiting[key] = [waiter]
            return .begun
        }
    }

    private func ask(_ pending: PendingReview) async {
        typealias Answer = Result<TokenReviewStatus, TokenReviewError>
        let answer = await time.limited(to: settings.timeout) { [reviewer] () -> Answer in
            do throws(TokenReviewError) {
                return .success(try await reviewer.review(pending.token, audiences: pending.policy.audiences))
            } catch {
                return .failure(error)
            }
        }
        switch answer {
        case .success(let status):
            let verdict = pending.policy.verdict(status)
            if case .known = verdict { metrics.reviewed(.authenticated) } else { metrics.reviewed(.refused) }
            settle(pending.reviewed(verdict))
        case .failure(let error):
            metrics.reviewed(.error)
            warn("\(error)")
            let seconds = error.retryAfter.map { ($0.wholeMicroseconds + 999_999) / 1_000_000 } ?? 1
            settle(pending.reviewed(.unavailable(retryAfterSeconds: min(max(1, seconds), 60))))
        case nil:
            metrics.reviewed(.timeout)
            if !Task.isCancelled { warn("no answer within the time for one question") }
            settle(pending.reviewed(.unavailable(retryAfterSeconds: 1)))
        }
    }

    private func settle(_ token: ReviewedToken) {
        let now = clock.now()
        let waiters = state.withLock { state -> [Waiter] in
            state.cache.keep(token, now: now)
            return state.waiting.removeValue(forKey: token.key) ?? []
        }
        for waiter in waiters {
            waiter.yield(token)
            waiter.finish()
        }
    }

    private func warn(_ reason: String) {
        guard warning.allows(at: clock.now()) else { return }
        logger.warning("the cluster could not be asked about a token", metadata: [LogKeys.error: .string(reason)])
    }
}
