// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The event that a client has seen last, and what follows from that about others.
struct LiveMark: Sendable {
    /// Nil where only its time is known.
    private let series: (writer: String, sequence: Int64)?
    private let at: Timestamp
    private let id: String
    private let overlap: Duration

    /// - Parameter overlap: how much later entries of other processes may come; zero where no other process writes.
    init(_ event: LiveEvent, overlap: Duration) {
        self.init(writer: event.writer, sequence: event.sequence, at: event.at, id: event.id, overlap: overlap)
    }

    init(_ row: AuditRow, overlap: Duration) {
        self.init(writer: row.writer, sequence: row.sequence, at: row.at, id: row.id, overlap: overlap)
    }

    /// An event of which nothing is known but its time.
    init(at: Timestamp, overlap: Duration) {
        series = nil
        self.at = at
        id = ""
        self.overlap = overlap
    }

    private init(writer: String, sequence: Int64, at: Timestamp, id: String, overlap: Duration) {
        series = (writer, sequence)
        self.at = at
        self.id = id
        self.overlap = overlap
    }

    /// The time from which on there may be news.
    private var begin: Timestamp { Timestamp(microseconds: at.microseconds - overlap.wholeMicroseconds) }

    /// Whether nothing from before that event can be news.
    func begins(after event: LiveEvent) -> Bool { event.at < begin }

    /// Whether the client may not have got that event. Each series comes in order wherever it goes, so that its numbers tell, even where its clock
    /// was set back. Two series overtake each other on their way to a replica: there, what is not much older may have come later.
    func isNews(_ event: LiveEvent) -> Bool {
        if let series, series.writer == event.writer { return event.sequence > series.sequence }
        if overlap > .zero { return event.at >= begin }
        return event.at != at ? event.at > at : event.id > id
    }
}
