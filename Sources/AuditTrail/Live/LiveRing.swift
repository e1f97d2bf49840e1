// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The newest events in the order in which they came, bounded in number and in bytes. Each id is in it once.
struct LiveRing: Sendable {
    private static let byteLimit = 64 << 20

    private let capacity: Int
    private var events: [LiveEvent] = []
    private var gone = 0
    private var bytes = 0
    private var places: [String: UInt64] = [:]
    /// The place that the next event gets.
    private(set) var end: UInt64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// How many are held.
    var count: Int { events.count - gone }

    /// Takes events that are not in it yet.
    ///
    /// - Returns: those, which have the last places before `end`.
    mutating func append(_ new: [LiveEvent]) -> [LiveEvent] {
        var taken: [LiveEvent] = []
        taken.reserveCapacity(new.count)
        for event in new where places[event.id] == nil {
            places[event.id] = end
            end += 1
            bytes += event.size
            events.append(event)
            taken.append(event)
        }
        trim()
        return taken
    }

    private mutating func trim() {
        while count > capacity || bytes > Self.byteLimit, count > 1 {
            let event = events[gone]
            bytes -= event.size
            places[event.id] = nil
            gone += 1
        }
        // Seldom enough that moving the rest costs nothing, and often enough that what is gone is not kept alive.
        if gone > 256, gone > capacity / 8 {
            events.removeFirst(gone)
            gone = 0
        }
    }

    /// Forgets everything: there is a hole behind what it held.
    mutating func clear() {
        events = []
        places = [:]
        gone = 0
        bytes = 0
    }

    /// What came after that event, and what stands before it and may be news to somebody who saw it elsewhere; nil when it is not here, or not
    /// everything before it that would have to be looked at.
    func events(after id: String, overlap: Duration) -> [LiveEvent]? {
        guard let place = places[id] else { return nil }
        let index = events.count - Int(end - place)
        guard overlap > .zero else { return Array(events[(index + 1)...]) }
        let mark = LiveMark(events[index], overlap: overlap)
        guard mark.begins(after: events[gone]) else { return nil }
        return events[gone..<index].filter { mark.isNews($0) } + events[(index + 1)...]
    }

    /// Everything that is held.
    var all: ArraySlice<LiveEvent> { events[gone...] }
}
