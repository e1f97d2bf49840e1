// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Dispatch
internal import Essentials
internal import Logging
internal import Synchronization

/// Looks after the closed segments of this process's series: compresses them, and deletes those that are older than segments are kept.
final class SegmentKeeper: Sendable {
    private static let passSeconds: Int64 = 3600

    private struct State {
        var nextPass = Timestamp(microseconds: 0)
        var volume: VolumeUse?
    }

    private let settings: AuditSettings
    private let clock: any WallClock
    private let logger: Logger
    private let metrics: AuditMetrics
    private let index: (any AuditIndexing)?
    private let calls: FileCalls
    // Compressing a segment takes seconds of one core: not on a thread that others wait for.
    private let queue = DispatchQueue(label: "tollgate.audit.keeper", qos: .utility)
    private let passes = SerialLock()
    private let state = Mutex(State())
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(
        settings: AuditSettings, index: (any AuditIndexing)?, clock: any WallClock, logger: Logger,
        metrics: AuditMetrics, calls: FileCalls
    ) {
        self.settings = settings
        self.index = index
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
        self.calls = calls
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes it look again.
    func nudge() { wake.yield() }

    /// Ends `run`.
    func stop() { wake.finish() }

    /// How full the volume of the trail was when it was looked at last.
    var volume: VolumeUse? { state.withLock { $0.volume } }

    /// What is due from time to time.
    func tick(now: Timestamp) {
        checkVolume()
        let isDue = state.withLock { state in
            guard now >= state.nextPass else { return false }
            state.nextPass = now.adding(seconds: Self.passSeconds)
            return true
        }
        if isDue { nudge() }
    }

    private func checkVolume() {
        guard let use = calls.volume(settings.writerDirectory) else { return }
        metrics.volumeUsed.record(Double(use.percent) / 100)
        let before = state.withLock { state in
            defer { state.volume = use }
            return state.volume
        }
        guard use.isHigh, before?.isHigh != true else { return }
        logger.warning("the volume of the audit trail is filling up", metadata: ["percent": "\(use.percent)"])
    }

    /// Keeps until it is stopped or cancelled.
    ///
    /// - Parameter open: the segment that is being written; nil when none is.
    /// - Parameter record: writes an entry and says whether it is synced.
    func run(open: @Sendable () -> SegmentName?, record: @Sendable (AuditDraft) async -> Bool) async {
        nudge()
        for await _ in wakes { await keep(open: open(), record: record) }
    }

    /// Compresses what is closed, deletes what is too old and makes the index forget it. What fails is tried again at the next call.
    func keep(open: SegmentName?, record: @Sendable (AuditDraft) async -> Bool) async {
        guard let open else { return }
        await passes.withLock {
            await onQueue { self.packClosed(before: open) }
            await self.deleteOld(before: open, record: record)
        }
    }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }

    // MARK: Compressing

    /// Compresses every closed segment, after the last was closed. It waits for a pass that is under way.
    func packLast() { queue.sync { packClosed(before: nil) } }

    /// Compresses every closed segment before the open one. A segment without its end is evidence, and stays. Only on the queue: two that
    /// compress the same segment would take each other's files.
    private func packClosed(before open: SegmentName?) {
        do throws(AuditError) {
            for segment in try AuditFiles.segments(in: settings.writerDirectory) {
                if let open, segment >= open { break }
                pack(segment)
            }
        } catch {
            logger.warning("audit segments could not be listed", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// One that cannot be compressed keeps no other waiting, and takes no room.
    private func pack(_ segment: SegmentName) {
        let directory = settings.writerDirectory
        do throws(AuditError) {
            guard try SegmentSummary.isPlainAndClosed(segment, in: directory) else { return }
            try SegmentPacking.pack(segment, in: directory, calls: calls)
        } catch {
            logger.warning(
                "audit segment could not be compressed",
                metadata: [LogKeys.file: "\(segment.file)", LogKeys.error: "\(error)"])
            // What cannot be removed now is removed when the segment is tried again.
            try? AuditFiles.remove(SegmentPacking.temporary(of: segment, in: directory))
        }
    }

    // MARK: Deleting

    /// Only from the oldest on, so that what is kept has no holes. The entry about it is synced before a segment goes: killed between the two,
    /// the next pass says it once more.
    private func deleteOld(before open: SegmentName, record: @Sendable (AuditDraft) async -> Bool) async {
        let directory = settings.writerDirectory
        do {
            let limit = clock.now().adding(seconds: -settings.retentionSeconds)
            let segments = try AuditFiles.segments(in: directory)
            var oldest = segments.first
            for (segment, next) in zip(segments, segments.dropFirst()) where segment < open {
                guard segment.createdAt < limit else { break }
                let summary = await onQueue { Self.summary(segment, next: next, in: directory) }
                guard let summary, summary.lastEntry ?? segment.createdAt < limit else { break }
                // What the index lacks is read from the segment, also where it goes to a database or another process from there.
                if let index, try await index.lastSequence(writer: settings.writer) < summary.lastSequence { break }
                guard await record(Self.deletion(of: segment, summary)) else { break }
                try AuditFiles.remove("\(directory)/\(segment.file)")
                try AuditFiles.remove("\(directory)/\(segment.compressedFile)")
                try AuditFiles.syncDirectory(directory)
                logger.notice("audit segment deleted", metadata: [LogKeys.file: "\(segment.file)"])
                oldest = next
            }
            if let oldest { try await index?.forget(writer: settings.writer, before: oldest.firstSequence) }
        } catch {
            logger.warning("old audit segments could not be deleted", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// Of a segment that cannot be read the next one tells the end.
    private static func summary(_ segment: SegmentName, next: SegmentName, in directory: String) -> SegmentSummary? {
        do throws(AuditError) {
            return try SegmentSummary.read(segment, in: directory)
        } catch {
            guard error.code == .damaged else { return nil }
            return SegmentSummary(lastEntry: next.createdAt, lastSequence: next.firstSequence - 1)
        }
    }

    private static func deletion(of segment: SegmentName, _ summary: SegmentSummary) -> AuditDraft {
        AuditDraft(
            actor: "system", action: "audit.segment_deleted", resource: segment.file, outcome: .success,
            metadata: [
                "file": .string(segment.file), "last_sequence": .int(summary.lastSequence),
                "last_hash": summary.lastHash.isEmpty
                    ? .null : .string(String(decoding: summary.lastHash, as: UTF8.self)),
            ])
    }
}
