// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Essentials
internal import Synchronization

/// Who waits for a connection: first come, first served, no more than a bound and no longer than a limit.
final class PostgreSQLQueue: Sendable {
    /// One piece of work, for the thread of any connection.
    struct Job: Sendable {
        /// When it was handed in.
        let since: Duration
        let run: @Sendable (PostgreSQLWorker) -> Void
        let fail: @Sendable (PostgreSQLError) -> Void
    }

    private struct State: Sendable {
        var waiting: [Job] = []
        /// Threads that have nothing to do.
        var idle = 0
        var isClosed = false
        /// Whether somebody will look after those who have waited too long.
        var isWatched = false
    }

    private let limit: Int
    private let waitTimeout: Duration
    private let clock: any MonotonicClock
    private let metrics: PostgreSQLMetrics
    private let state = Mutex(State())
    /// Counted up for each job; a thread that finds none sleeps on.
    private let ready = DispatchSemaphore(value: 0)

    init(limit: Int, waitTimeout: Duration, clock: any MonotonicClock, metrics: PostgreSQLMetrics) {
        self.limit = limit
        self.waitTimeout = waitTimeout
        self.clock = clock
        self.metrics = metrics
    }

    /// Hands in work. It is run or failed, exactly one of both.
    func add(_ job: Job) {
        let (refusal, watches) = state.withLock { state -> (PostgreSQLError?, Bool) in
            guard !state.isClosed else { return (Self.closed, false) }
            guard state.waiting.count < limit + state.idle else {
                return (
                    PostgreSQLError(.overloaded, "\(state.waiting.count) callers wait for the database already"), false
                )
            }
            state.waiting.append(job)
            metrics.shows(waiting: state.waiting.count)
            guard state.waiting.count > state.idle, !state.isWatched else { return (nil, false) }
            state.isWatched = true
            return (nil, true)
        }
        if let refusal { return job.fail(refusal) }
        ready.signal()
        if watches { watch(in: waitTimeout) }
    }

    /// The next work, as soon as there is some; nil when the queue is closed. Blocks the thread.
    func next() -> Job? {
        state.withLock { $0.idle += 1 }
        defer { state.withLock { $0.idle -= 1 } }
        while true {
            ready.wait()
            let (job, isClosed) = state.withLock { state -> (Job?, Bool) in
                guard !state.waiting.isEmpty else { return (nil, state.isClosed) }
                defer { metrics.shows(waiting: state.waiting.count) }
                return (state.waiting.removeFirst(), false)
            }
            if let job {
                metrics.waited(microseconds: (clock.now() - job.since).wholeMicroseconds)
                return job
            }
            if isClosed { return nil }
        }
    }

    /// Hands work in again that nobody has begun, before all others.
    ///
    /// - Returns: false where its time is over or the queue is closed: then it is still the caller's.
    func giveBack(_ job: Job) -> Bool {
        let rest = job.since + waitTimeout - clock.now()
        guard rest > .zero else { return false }
        let (isTaken, watches) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.waiting.insert(job, at: 0)
            metrics.shows(waiting: state.waiting.count)
            defer { state.isWatched = true }
            return (true, !state.isWatched)
        }
        guard isTaken else { return false }
        ready.signal()
        if watches { watch(in: rest) }
        return true
    }

    /// Fails all who wait, and ends that many threads when they have ended what they do.
    func close(threads: Int) {
        let jobs = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for job in jobs { job.fail(Self.closed) }
        for _ in 0..<threads { ready.signal() }
    }

    private static let closed = PostgreSQLError(.closed, "The database is shut down")

    private func watch(in pause: Duration) {
        let nanoseconds = max(1_000_000, Int(pause.wholeMicroseconds * 1000))
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { self.expire() }
    }

    /// Fails those whose time is over; they stand at the front.
    private func expire() {
        let now = clock.now()
        let (late, pause) = state.withLock { state -> ([Job], Duration?) in
            let late = Array(state.waiting.prefix { now - $0.since >= waitTimeout })
            state.waiting.removeFirst(late.count)
            metrics.shows(waiting: state.waiting.count)
            guard let first = state.waiting.first else {
                state.isWatched = false
                return (late, nil)
            }
            return (late, first.since + waitTimeout - now)
        }
        for job in late {
            job.fail(PostgreSQLError(.timeout, "No connection became free within \(waitTimeout)"))
        }
        if let pause { watch(in: pause) }
    }
}
