// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Dispatch
internal import Essentials
internal import Logging
internal import Synchronization

/// The one thread that touches the segments: takes all that waits, writes it as one piece, syncs once, then wakes who waits.
final class AuditWriter: Sendable {
    private struct State: ~Copyable {
        var store: SegmentStore?
        var lastFailure: Timestamp?
        var lock: Int32 = -1
        var headLogged = Timestamp(microseconds: 0)
        var nextRotation = Timestamp.latest
        var isRetrying = false
    }

    /// Entries in one batch, and the bytes of metadata after which a batch ends.
    private static let batchEntries = 4096
    private static let failureMemoryMicroseconds: Int64 = 10_000_000

    private let settings: AuditSettings
    private let clock: any WallClock
    private let logger: Logger
    private let metrics: AuditMetrics
    private let mailbox: AuditMailbox
    private let written: @Sendable ([AuditRow]) -> Void
    private let rotated: @Sendable () -> Void
    private let queue = DispatchQueue(label: "tollgate.audit.writer")
    private let state = Mutex(State())

    init(
        settings: AuditSettings, clock: any WallClock, logger: Logger, metrics: AuditMetrics, mailbox: AuditMailbox,
        rotated: @escaping @Sendable () -> Void, written: @escaping @Sendable ([AuditRow]) -> Void
    ) {
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
        self.mailbox = mailbox
        self.rotated = rotated
        self.written = written
    }

    /// Begins to write behind a place in the chain.
    func start(at position: ChainPosition, lock: Int32, hasher: ChainHasher, calls: FileCalls) throws(AuditError) {
        let now = clock.now()
        var store = SegmentStore(
            directory: settings.writerDirectory, writer: settings.writer, hasher: hasher, calls: calls,
            position: position)
        try store.begin(now: now)
        state.withLock {
            $0.store = store
            $0.lock = lock
            $0.headLogged = now
            $0.nextRotation = settings.rotateAt.next(after: now)
        }
        metrics.segmentBytes.record(store.syncedBytes)
        mailbox.setAccepting(true)
    }

    /// The hash of the last synced entry, once there is one.
    var headHash: String? {
        state.withLock { $0.store?.headHash.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// The segment that is being written.
    var openSegment: SegmentName? { state.withLock { $0.store?.open } }

    /// Makes the writer come, as the mailbox asked.
    func follow(_ signal: AuditMailbox.Signal) {
        switch signal {
        case .refused, .none: break
        case .wakeNow: queue.async { self.drain() }
        case .wakeSoon:
            let micros = Int(settings.flushInterval.wholeMicroseconds)
            queue.asyncAfter(deadline: .now() + .microseconds(micros)) { self.drain() }
        }
    }

    /// Ends the day's segment and logs the head when their times have come.
    func tick(now: Timestamp) {
        queue.async {
            self.metrics.queueDepth.record(self.mailbox.depth)
            self.state.withLock { state in
                if now >= state.nextRotation { self.rotateForTheDay(&state, now: now) }
                guard now.microseconds - state.headLogged.microseconds >= self.settings.headSeconds * 1_000_000 else {
                    return
                }
                state.headLogged = now
                if let store = state.store { self.logHead(store) }
            }
        }
    }

    /// Returns when everything is done that it was asked for before; for tests.
    func idle() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }

    /// A segment without entries goes on: a day on which nothing happened makes no file.
    private func rotateForTheDay(_ state: inout State, now: Timestamp) {
        state.nextRotation = settings.rotateAt.next(after: now)
        guard var store = state.store, store.entries > 0 else { return }
        defer { state.store = store }
        do throws(AuditError) {
            try rotate(&store)
        } catch {
            // The next batch finds no open segment and begins one, or says that it cannot.
            logger.error("audit segment could not be rotated", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func rotate(_ store: inout SegmentStore) throws(AuditError) {
        try store.rotate(now: clock.now())
        logHead(store)
        rotated()
    }

    /// Writes all that waits, ends the segment and gives the lock back, after a last thing that is done under it.
    func finish(beforeUnlocking last: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.drain()
                for item in self.mailbox.take(atMost: .max) { self.lose(item) }
                self.state.withLock { state in
                    if var store = state.store { self.end(&store) }
                    state.store = nil
                }
                if self.state.withLock({ $0.lock >= 0 }) { last() }
                self.state.withLock { state in
                    if state.lock >= 0 { closeDescriptor(state.lock) }
                    state.lock = -1
                }
                continuation.resume()
            }
        }
    }

    private func end(_ store: inout SegmentStore) {
        do throws(AuditError) {
            try store.finish(now: clock.now())
            logHead(store)
        } catch {
            logger.error("audit segment could not be ended", metadata: [LogKeys.error: "\(error)"])
        }
    }

    private func lose(_ item: AuditItem) {
        metrics.lost.increment()
        item.waiter?.resume(returning: false)
    }

    private func drain() {
        while true {
            let items = mailbox.take(atMost: Self.batchEntries)
            guard !items.isEmpty else { return }
            guard let rows = state.withLock({ state in write(items, &state) }) else {
                return fail(items)
            }
            let now = clock.now()
            written(rows)
            for outcome in AuditDraft.Outcome.allCases {
                let count = rows.count { $0.outcome == outcome }
                if count > 0 { metrics.written(outcome, count: count) }
            }
            for item in items {
                metrics.waited(microseconds: now.microseconds - item.at.microseconds)
                item.waiter?.resume(returning: true)
            }
        }
    }

    /// Writes and syncs; after a failure in a new segment, once.
    private func write(_ items: [AuditItem], _ state: inout State) -> [AuditRow]? {
        guard var store = state.store else { return nil }
        defer {
            metrics.segmentBytes.record(store.syncedBytes)
            state.store = store
        }
        let drafts = items.map { (draft: $0.draft, at: $0.at, id: UUIDv7.make(at: $0.at)) }
        do throws(AuditError) {
            if store.syncedBytes >= settings.segmentBytes {
                try rotate(&store)
            }
            return try store.append(drafts)
        } catch {
            let now = clock.now()
            logger.error("audit segment abandoned", metadata: [LogKeys.error: "\(error)"])
            let isSecond = state.lastFailure.map {
                now.microseconds - $0.microseconds < Self.failureMemoryMicroseconds
            }
            state.lastFailure = now
            if isSecond == true { return nil }
        }
        do throws(AuditError) {
            try rotate(&store)
            return try store.append(drafts)
        } catch {
            logger.error("audit trail cannot be written", metadata: [LogKeys.error: "\(error)"])
            state.lastFailure = clock.now()
            return nil
        }
    }

    /// Nothing can be written: who waits is told so, what was queued stays queued, and another try is made soon.
    private func fail(_ items: [AuditItem]) {
        mailbox.setAccepting(false)
        for item in items where item.waiter != nil { lose(item) }
        let waiting = mailbox.take(atMost: .max)
        for item in waiting where item.waiter != nil { lose(item) }
        mailbox.putBack((items + waiting).filter { $0.waiter == nil })
        let startsRetrying = state.withLock { state in
            defer { state.isRetrying = true }
            return !state.isRetrying
        }
        if startsRetrying { retryLater() }
    }

    private func retryLater() {
        let micros = Int(settings.retryInterval.wholeMicroseconds)
        queue.asyncAfter(deadline: .now() + .microseconds(micros)) { self.retry() }
    }

    /// Tries to begin a new segment; for tests and for the timer.
    func retry() {
        let succeeded = state.withLock { state -> Bool? in
            guard var store = state.store else { return nil }
            defer { state.store = store }
            do throws(AuditError) {
                try store.rotate(now: clock.now())
            } catch {
                return false
            }
            state.isRetrying = false
            return true
        }
        switch succeeded {
        case nil: break
        case false?: retryLater()
        case true?:
            logger.notice("audit trail can be written again")
            mailbox.setAccepting(true)
            drain()
        }
    }

    private func logHead(_ store: SegmentStore) {
        guard let hash = store.headHash else { return }
        logger.info(
            "audit.head",
            metadata: [
                "writer": "\(settings.writer)", "sequence": "\(store.position.nextSequence - 1)",
                "hash": "\(String(decoding: hash, as: UTF8.self))",
            ])
    }
}
