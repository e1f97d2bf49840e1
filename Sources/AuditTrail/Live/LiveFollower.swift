// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
internal import Synchronization

/// Brings the entries of other replicas here: a notice says whose series grew, and what is new is read from the store that all of them share.
///
/// A notice that is lost delays what it was about to the next look; nothing is lost with it.
package final class LiveFollower: Sendable {
    private struct State {
        /// The last number that was read of each series; nil before the first look.
        var known: [String: Int64]?
        /// The series that were there at the first look: what is read of them came after it.
        var atStart: Set<String> = []
        /// Of which entries were taken for history.
        var leftOut: Set<String> = []
        var grown: Set<String> = []
        var isUp = false
        var looksAt: Duration = .zero
        var hasFailed = false
    }

    private static let page = 1000
    /// Time between two looks at all series, with notices and without.
    private static let rarely = Duration.seconds(10)
    private static let often = Duration.seconds(1)
    /// Entries of a series that came up later and that are this much older than this process are history.
    private static let historySeconds: Int64 = 60

    private let trail: any SharedTrail
    private let channel: any NoticeChannel
    private let ownWriter: String
    private let clock: any MonotonicClock
    private let logger: Logger
    private let oldest: Timestamp
    private let take: @Sendable ([AuditRow]) -> Void
    private let state = Mutex(State())
    private let wake = Signal()

    /// - Parameters:
    ///   - ownWriter: whose entries come by another way.
    ///   - startedAt: when this process began.
    ///   - take: is given entries, each series in order.
    package init(
        trail: any SharedTrail, channel: any NoticeChannel, ownWriter: String, startedAt: Timestamp,
        clock: any MonotonicClock, logger: Logger, take: @escaping @Sendable ([AuditRow]) -> Void
    ) {
        self.trail = trail
        self.channel = channel
        self.ownWriter = ownWriter
        self.clock = clock
        self.logger = logger
        self.take = take
        oldest = startedAt.adding(seconds: -Self.historySeconds)
    }

    /// Tells the other replicas that a series of this one grew.
    package func announce(_ writer: String) { channel.announce(writer) }

    /// Finds out where the others stand; what they write from now on comes. Waits for the store.
    ///
    /// - Throws: `CancellationError`.
    package func start() async throws {
        while state.withLock({ $0.known == nil }) {
            try Task.checkCancellation()
            if await !turn() { try await clock.pause(for: Self.often) }
        }
    }

    /// Follows until it is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { [channel] in await channel.run { self.heard($0) } }
            while !Task.isCancelled {
                let isDone = await turn()
                let wait = isDone ? pause : Self.often
                _ = await clock.limited(to: wait) { [wake] in await wake.wait() }
            }
            group.cancelAll()
        }
    }

    private var pause: Duration {
        state.withLock { max($0.looksAt - clock.now(), .milliseconds(1)) }
    }

    /// Takes what the channel says.
    package func heard(_ event: NoticeEvent) {
        state.withLock { state in
            switch event {
            case .notice(let writer):
                guard writer != ownWriter, Self.isSeries(writer) else { return }
                state.grown.insert(writer)
            case .up, .down:
                state.isUp = event == .up
                state.looksAt = clock.now()
            }
        }
        wake.call()
    }

    /// Reads what is new; `run` calls it again and again.
    ///
    /// - Returns: false when that failed.
    package func turn() async -> Bool {
        do {
            if state.withLock({ $0.known == nil || clock.now() >= $0.looksAt }) { try await look() }
            for writer in state.withLock(\.grown) { try await read(writer) }
        } catch is CancellationError {
            return false
        } catch {
            let isNew = state.withLock { state in
                defer { state.hasFailed = true }
                return !state.hasFailed
            }
            if isNew {
                logger.warning(
                    "events of other replicas are not heard of", metadata: [LogKeys.error: "\(error)"])
            }
            return false
        }
        state.withLock { $0.hasFailed = false }
        return true
    }

    /// Looks at all series.
    private func look() async throws {
        let heads = try await trail.heads()
        state.withLock { state in
            state.looksAt = clock.now() + (state.isUp ? Self.rarely : Self.often)
            guard var known = state.known else {
                state.known = heads
                state.atStart = Set(heads.keys)
                return
            }
            for (writer, head) in heads {
                if !Self.isSeries(writer), known[writer] == nil, let tilde = writer.lastIndex(of: "~") {
                    // It was set aside: the series of that name has begun anew.
                    known[writer] = head
                    known[String(writer[..<tilde])] = 0
                    state.atStart.insert(String(writer[..<tilde]))
                    state.grown.insert(String(writer[..<tilde]))
                } else if Self.isSeries(writer), writer != ownWriter, head > known[writer] ?? 0 {
                    state.grown.insert(writer)
                }
            }
            state.grown.remove(ownWriter)
            state.known = known
        }
    }

    private func read(_ writer: String) async throws {
        state.withLock { _ = $0.grown.remove(writer) }
        do {
            while true {
                let known = state.withLock { $0.known?[writer] ?? 0 }
                let rows = try await trail.rows(of: writer, after: known, limit: Self.page)
                guard let last = rows.last else { return }
                state.withLock { $0.known?[writer] = last.sequence }
                let fresh = fresh(rows, of: writer)
                if !fresh.isEmpty { take(fresh) }
                guard rows.count >= Self.page else { return }
            }
        } catch {
            state.withLock { _ = $0.grown.insert(writer) }
            throw error
        }
    }

    /// What is no history. By the numbers where the series was there at the start, because a clock that is behind makes new entries look old.
    private func fresh(_ rows: [AuditRow], of writer: String) -> [AuditRow] {
        guard state.withLock({ !$0.atStart.contains(writer) }) else { return rows }
        let fresh = rows.filter { $0.at >= oldest }
        if fresh.count < rows.count, state.withLock({ $0.leftOut.insert(writer).inserted }) {
            logger.notice(
                "old entries of a writer that is new here are not shown as live events",
                metadata: ["writer": "\(writer)"])
        }
        return fresh
    }

    /// Whether it is a series that still grows: those that were set aside have a tilde in their names.
    private static func isSeries(_ writer: String) -> Bool { AuditSettings.isWriterName(writer) }
}
