// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What was written before, for clients that come back after the ring has forgotten.
package protocol LiveHistory: Sendable {
    /// The entries that fit, everything that is synced at the call among them.
    ///
    /// - Throws: as `AuditLog.query`.
    func history(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> [AuditRow]
}

extension AuditLog: LiveHistory {
    package func history(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> [AuditRow] {
        // After a start the index may still be behind the segments.
        await feeder?.feed()
        return try await self.query(query, as: reader).rows
    }
}

/// What a client that comes back is given from the index.
struct LiveReplay: Sendable {
    /// Events after the one that it named, in order; those that are in memory too are among them.
    var events: [LiveEvent] = []
    /// Whether there may be events in between that are not here.
    var hasGap = true
    /// What the named event says about others; nil where that is nothing.
    var mark: LiveMark?

    /// A clock that was set back by no more than this hides nothing.
    private static let lookBack = Duration.seconds(20)

    /// - Parameters:
    ///   - id: as the client named it; whatever it is.
    ///   - settings: how many rows are read at most, among others.
    ///   - events: makes events of rows.
    static func read(
        after id: String, filter: LiveFilter, settings: LiveSettings, from history: any LiveHistory,
        events: ([AuditRow]) -> [LiveEvent]
    ) async -> LiveReplay {
        var replay = LiveReplay()
        guard let since = instant(of: id) else { return replay }
        replay.mark = LiveMark(at: since, overlap: settings.overlap)
        var query = AuditQuery()
        let from = since.microseconds - max(settings.overlap, lookBack).wholeMicroseconds
        query.from = Timestamp(microseconds: max(0, from))
        query.order = .descending
        query.limit = settings.replayed + 1
        var rows: [AuditRow] = []
        var isCut = false
        for action in filter.actions.map({ $0.map(Optional.some) }) ?? [nil] {
            query.action = action
            do throws(Refusal) {
                let found = try await history.history(query, as: filter.reader)
                isCut = isCut || found.count > settings.replayed
                rows += found
            } catch {
                // It is told as a gap: what is in memory is given all the same.
                return replay
            }
        }
        isCut = newest(&rows, settings) || isCut
        if let named = rows.first(where: { $0.id == id }) {
            replay.mark = LiveMark(named, overlap: settings.overlap)
            // What lies before the named event is of no interest where nobody else writes.
            replay.hasGap = isCut && settings.overlap > .zero
        } else if isCut {
            rows.removeFirst(max(0, rows.count - settings.replayed))
        }
        let all = events(rows.filter { $0.id != id })
        replay.events = LiveEvent.inOrder(
            all.filter { event in
                replay.mark?.isNews(event) ?? false && filter.admits(event) && filter.matches(event)
            })
        return replay
    }

    /// Sorts rows by time and leaves the newest, as many and as large as are given at most.
    ///
    /// - Returns: whether there were more.
    private static func newest(_ rows: inout [AuditRow], _ settings: LiveSettings) -> Bool {
        rows.sort(by: AuditRow.precedes)
        var bytes = 0
        var kept = 0
        for row in rows.reversed() {
            bytes += row.line.count
            guard kept <= settings.replayed, bytes <= settings.replayedBytes else { break }
            kept += 1
        }
        defer { rows.removeFirst(rows.count - kept) }
        return kept < rows.count
    }

    /// The time of a UUIDv7, to the millisecond; nil when the text is none.
    static func instant(of id: String) -> Timestamp? {
        let bytes = Array(id.utf8)
        guard bytes.count == 36, bytes[14] == UInt8(ascii: "7") else { return nil }
        var milliseconds: Int64 = 0
        for (index, byte) in bytes.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = Hex.digitValue(byte) else { return nil }
                if index < 13 { milliseconds = milliseconds << 4 | Int64(digit) }
            }
        }
        return Timestamp(microseconds: milliseconds * 1000)
    }
}
