// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// The audit trail of one process: accepts entries, writes them as a hash chain of segments, and answers queries about them.
///
/// `open` comes first, `run` is the service; nothing is accepted before the one and after the other.
package final class AuditLog: AuditRecording, Sendable {
    let settings: AuditSettings
    let clock: any WallClock
    let random: any RandomSource
    let logger: Logger
    let metrics: AuditMetrics
    let index: (any AuditIndexing)?
    let feeder: IndexFeeder?
    let trail: TrailState
    let mailbox: AuditMailbox
    let writer: AuditWriter
    let keeper: SegmentKeeper
    let decisions: DecisionFolder
    let refusals: RefusalFolder
    let corrupt = Mutex<String?>(nil)
    let cursor = Mutex<AuditCursor?>(nil)
    let preparer: DraftPreparer
    let calls: FileCalls
    private let observer: WrittenObserver

    /// Makes a trail that is not open yet.
    ///
    /// - Parameter index: without one only the newest entries, which are in memory, can be queried.
    package init(
        settings: AuditSettings, index: (any AuditIndexing)?, clock: any WallClock, random: any RandomSource,
        logger: Logger, metricsFactory: any MetricsFactory, calls: FileCalls = .system
    ) {
        self.settings = settings
        self.clock = clock
        self.random = random
        self.logger = logger
        self.index = index
        self.calls = calls
        let metrics = AuditMetrics(factory: metricsFactory)
        let trail = TrailState(memoryEntries: settings.memoryEntries)
        let feeder = index.map {
            IndexFeeder(index: $0, settings: settings, logger: logger, metrics: metrics) { trail.syncedThrough }
        }
        let observer = WrittenObserver()
        self.observer = observer
        mailbox = AuditMailbox(capacity: settings.queueCapacity)
        let keeper = SegmentKeeper(
            settings: settings, index: index, clock: clock, logger: logger, metrics: metrics, calls: calls)
        writer = AuditWriter(
            settings: settings, clock: clock, logger: logger, metrics: metrics, mailbox: mailbox,
            rotated: { keeper.nudge() },
            written: {
                trail.add($0)
                feeder?.add($0)
                observer.tell($0)
            })
        self.keeper = keeper
        self.metrics = metrics
        self.trail = trail
        self.feeder = feeder
        decisions = DecisionFolder(capacity: settings.foldCapacity, seconds: settings.foldSeconds)
        refusals = RefusalFolder(perSecond: settings.refusalsPerSecond, seconds: settings.foldSeconds)
        preparer = DraftPreparer(redactor: Redactor(level: settings.redaction))
    }

    /// Has the body told of all entries from now on, in order, once they are synced. It is called on the writer's thread and must return soon.
    package func observe(_ body: @escaping @Sendable ([AuditRow]) -> Void) { observer.listen(body) }

    /// How the trail is doing.
    package var status: AuditStatus {
        AuditStatus(
            isWritable: mailbox.isAccepting, queued: mailbox.depth, sequence: trail.syncedThrough,
            hash: writer.headHash, corruptSegment: corrupt.withLock { $0 },
            volume: keeper.volume)
    }

    // MARK: Recording

    package func acceptNow(_ draft: AuditDraft) -> Bool {
        let now = clock.now()
        if draft.outcome != .success, let address = draft.ip, mailbox.isAccepting {
            // The sample of a folded entry is redacted like any other, when it is put into the queue.
            if refusals.folds(draft, address: address, now: now) { return true }
        }
        return put(preparer.prepare(draft), now: now) || passOpen()
    }

    package func accept(_ draft: AuditDraft) async throws(Refusal) {
        if acceptNow(draft) { return }
        let prepared = preparer.prepare(draft)
        for _ in 0..<10 {
            do {
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                // The request was given up while it waited; it is refused like one that found no room.
                break
            }
            if put(prepared, now: clock.now()) { return }
        }
        throw Refusal(.auditUnavailable)
    }

    package func acceptAllowedDecision(_ decision: AllowedDecision) -> Bool {
        switch settings.decisions {
        case .refusals: return true
        case .folded:
            guard mailbox.isAccepting else { return passOpen() }
            if decisions.count(decision) { return true }
        case .full: break
        }
        let draft = DecisionFolder.Group(sample: decision, count: 1, last: decision.at).draft
        return put(preparer.prepare(draft), now: clock.now()) || passOpen()
    }

    package func record(_ draft: AuditDraft) async throws(Refusal) {
        let prepared = preparer.prepare(draft)
        for attempt in 0...10 {
            switch await recordOnce(prepared) {
            case .synced: return
            case .failed: break
            case .refused where attempt < 10:
                do {
                    try await Task.sleep(for: .milliseconds(5))
                    continue
                } catch {
                    // The request was given up while it waited; it is refused like one that found no room.
                    break
                }
            case .refused: break
            }
            break
        }
        guard passOpen() else { throw Refusal(.auditUnavailable) }
    }

    package func checkWritable() throws(Refusal) {
        let isWritable = mailbox.hasRoom && feeder?.takesEntries != false
        guard isWritable || settings.failsOpen else { throw Refusal(.auditUnavailable) }
    }

    private enum Recorded: Sendable {
        case synced, failed, refused
    }

    private func recordOnce(_ prepared: AuditDraft) async -> Recorded {
        let refused = Mutex(false)
        let isSynced = await withCheckedContinuation { continuation in
            let signal = mailbox.put(prepared, now: clock.now(), waiter: continuation)
            writer.follow(signal)
            if case .refused = signal {
                refused.withLock { $0 = true }
                continuation.resume(returning: false)
            }
        }
        if isSynced, let feeder { return await feeder.settle() ? .synced : .failed }
        return isSynced ? .synced : refused.withLock { $0 } ? .refused : .failed
    }

    private func put(_ prepared: AuditDraft, now: Timestamp, beyondCapacity: Bool = false) -> Bool {
        let signal = mailbox.put(prepared, now: now, beyondCapacity: beyondCapacity)
        if case .refused = signal { return false }
        writer.follow(signal)
        return true
    }

    /// Lets something pass that could not be recorded, where that was asked for, and counts it.
    private func passOpen() -> Bool {
        guard settings.failsOpen else { return false }
        metrics.lost.increment()
        return true
    }

    /// Queues the folded entries whose time has come; with nil all of them.
    func flushFolded(endedAt now: Timestamp?) {
        guard mailbox.isAccepting else { return }
        let drafts = decisions.take(endedAt: now).map(\.draft) + refusals.take(endedAt: now)
        for draft in drafts {
            guard !put(preparer.prepare(draft), now: clock.now(), beyondCapacity: true) else { continue }
            metrics.lost.increment()
        }
    }
}
