// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Reads what clients that come back are given out of the index: a few at a time, and what several of them get is kept once. After a start everybody
/// comes back at the same moment.
final class LiveReplays: Sendable {
    private struct Kept {
        weak var event: LiveEvent?
    }

    /// How many clients' events are read at the same time.
    private static let turns = 4

    private let history: any LiveHistory
    private let settings: LiveSettings
    private let locks = (0..<LiveReplays.turns).map { _ in SerialLock() }
    private let state = Mutex((next: 0, kept: [String: Kept]()))

    init(history: any LiveHistory, settings: LiveSettings) {
        self.history = history
        self.settings = settings
    }

    /// Reads for one client.
    ///
    /// - Parameter isWanted: asked when it is the client's turn.
    /// - Returns: nil when it is not wanted any more.
    func read(after id: String, filter: LiveFilter, isWanted: () -> Bool) async -> LiveReplay? {
        let turn = state.withLock { state in
            state.next = (state.next + 1) % Self.turns
            return state.next
        }
        return await locks[turn].withLock { () async -> LiveReplay? in
            guard isWanted() else { return nil }
            return await LiveReplay.read(after: id, filter: filter, settings: settings, from: history) { shared($0) }
        }
    }

    /// The events of rows, those that somebody has already being the same objects.
    private func shared(_ rows: [AuditRow]) -> [LiveEvent] {
        let known = state.withLock { state in
            state.kept = state.kept.filter { $0.value.event != nil }
            return rows.map { state.kept[$0.id]?.event }
        }
        let events = zip(rows, known).map { row, event in event ?? LiveEvent(row) }
        return state.withLock { state in
            events.map { event in
                if let earlier = state.kept[event.id]?.event { return earlier }
                state.kept[event.id] = Kept(event: event)
                return event
            }
        }
    }
}
