// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Essentials
internal import Logging
internal import Synchronization

/// Brings written entries into the index, behind the writer: from memory while it keeps up, from the segments where it does not.
final class IndexFeeder: Sendable {
    private struct State {
        var waiting: [AuditRow] = []
        /// Whether something is missing in `waiting`, or nothing was read yet.
        var mustCatchUp = true
        var newestWritten: Timestamp?
        var newestIndexed: Timestamp?
        /// The last sequence number that the index is known to hold.
        var indexedThrough: Int64 = 0
        /// How often feeding has failed, and whether it did so last.
        var failures = 0
        var isFailing = false
    }

    private static let waitingLimit = 16_384
    private static let batch = 1000
    /// Between two additions to an index that nobody waits for: each costs as much as many entries. Who asks meanwhile is answered from memory.
    private static let pause = Duration.milliseconds(50)

    private let index: any AuditIndexing
    private let directory: String
    private let writer: String
    private let logger: Logger
    private let metrics: AuditMetrics
    private let syncedThrough: @Sendable () -> Int64
    private let state = Mutex(State())
    private let feeding = SerialLock()
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(
        index: any AuditIndexing, settings: AuditSettings, logger: Logger, metrics: AuditMetrics,
        syncedThrough: @escaping @Sendable () -> Int64
    ) {
        self.index = index
        directory = settings.writerDirectory
        writer = settings.writer
        self.logger = logger
        self.metrics = metrics
        self.syncedThrough = syncedThrough
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes rows that are synced.
    func add(_ rows: [AuditRow]) {
        state.withLock { state in
            state.newestWritten = rows.last?.at ?? state.newestWritten
            if state.waiting.count + rows.count > Self.waitingLimit {
                state.waiting = []
                state.mustCatchUp = true
            }
            if !state.mustCatchUp { state.waiting += rows }
        }
        wake.yield()
    }

    /// Makes it look again.
    func nudge() { wake.yield() }

    /// Ends `run`.
    func stop() { wake.finish() }

    /// Feeds until it is stopped or cancelled.
    func run() async {
        wake.yield()
        for await _ in wakes {
            await feed()
            guard !index.keepsEntries else { continue }
            do {
                try await Task.sleep(for: Self.pause)
            } catch {
                return
            }
        }
    }

    /// Whether an index that keeps entries takes them at present.
    var takesEntries: Bool { !index.keepsEntries || state.withLock { !$0.isFailing } }

    /// Returns when an index that keeps entries holds everything that is synced at present. Of those who wait, one feeds for all.
    ///
    /// - Returns: false when that failed; what is not there yet follows later.
    func settle() async -> Bool {
        guard index.keepsEntries else { return true }
        let target = syncedThrough()
        let failures = state.withLock { $0.failures }
        return await feeding.withLock {
            let mayTry = state.withLock { $0.indexedThrough < target && $0.failures == failures }
            if mayTry { await feedAlone() }
            return state.withLock { $0.indexedThrough >= target }
        }
    }

    /// Brings everything that is synced into the index. What fails is tried again at the next call.
    func feed() async { await feeding.withLock { await feedAlone() } }

    private func feedAlone() async {
        do {
            if state.withLock({ $0.mustCatchUp }) { try await catchUp() }
            while true {
                let rows = state.withLock { state in
                    let rows = state.waiting
                    state.waiting = []
                    return rows
                }
                guard !rows.isEmpty else { break }
                try await index.add(rows)
                state.withLock { state in
                    state.newestIndexed = rows.last?.at
                    state.indexedThrough = rows.last?.sequence ?? state.indexedThrough
                }
            }
            state.withLock { $0.isFailing = false }
        } catch is CancellationError {
            // The process stops: the next start reads the rest from the segments.
            state.withLock { $0.mustCatchUp = true }
        } catch {
            state.withLock { state in
                state.mustCatchUp = true
                state.failures += 1
                state.isFailing = true
            }
            logger.warning("audit index is behind", metadata: [LogKeys.error: "\(error)"])
        }
        recordLag()
    }

    private func recordLag() {
        let micros = state.withLock { state in
            guard let written = state.newestWritten else { return Int64(0) }
            return written.microseconds - (state.newestIndexed ?? written).microseconds
        }
        metrics.indexLagSeconds.record(Double(max(0, micros)) / 1_000_000)
    }

    private func catchUp() async throws {
        var last = try await index.lastSequence(writer: writer)
        if last > syncedThrough() {
            logger.warning("audit index knows entries that the segments do not; it is begun anew")
            try await index.removeAll(writer: writer)
            last = 0
        }
        while true {
            // From here on new rows wait in memory; what is synced before this moment is read from the segments.
            let through = state.withLock { state in
                state.mustCatchUp = false
                state.waiting = []
                return syncedThrough()
            }
            guard last < through else { break }
            last = try await read(after: last, through: through)
            let isBehind = state.withLock { $0.mustCatchUp }
            guard isBehind else { break }
        }
        state.withLock { $0.indexedThrough = max(last, $0.indexedThrough) }
    }

    private func read(after last: Int64, through: Int64) async throws -> Int64 {
        var last = last
        var segments = try AuditFiles.segments(in: directory)
        if let first = segments.lastIndex(where: { $0.firstSequence <= last + 1 }) { segments.removeFirst(first) }
        for segment in segments where last < through {
            var reader = try SegmentReader(segment, in: directory)
            while let rows = try chunk(&reader, after: last, through: through) {
                try await index.add(rows)
                last = rows.last?.sequence ?? last
            }
        }
        return last
    }

    /// The next rows of a segment, at most a batch; nil at its end.
    private func chunk(
        _ reader: inout SegmentReader, after last: Int64, through: Int64
    ) throws -> [AuditRow]? {
        var rows: [AuditRow] = []
        while rows.count < Self.batch {
            let row = try reader.next { kind, bytes -> AuditRow?? in
                kind == .whole ? .some(AuditRow(line: Array(bytes), writer: writer)) : .none
            }
            switch row {
            case .none, .some(.none): return rows.isEmpty ? nil : rows
            case .some(.some(.none)): continue
            case .some(.some(.some(let row))):
                guard row.sequence <= through else { return rows.isEmpty ? nil : rows }
                if row.sequence > last { rows.append(row) }
            }
        }
        return rows
    }
}
