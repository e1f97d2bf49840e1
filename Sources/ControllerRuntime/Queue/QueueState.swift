// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How urgent work is.
package enum WorkPriority: Int, Sendable, CaseIterable, Comparable {
    /// The initial list and the regular look at everything.
    case resync = -100
    /// Something changed.
    case change = 0

    package static func < (left: WorkPriority, right: WorkPriority) -> Bool { left.rawValue < right.rawValue }
}

/// Which keys wait, and for how long. Pure: the time is handed in.
///
/// A key waits at most once. One that is worked on is not handed out a second time: it is marked, and waits again when it is done.
struct QueueState<Key: Hashable & Sendable>: Sendable {
    /// The pause after the first failure of a key; doubled with each further one.
    static var firstPause: Duration { .milliseconds(5) }
    static var longestPause: Duration { .seconds(1000) }

    private struct Entry {
        var priority: WorkPriority
        var readyAt: Duration
        /// Which of the places in line that this key ever had is the right one.
        var ticket: UInt64
        var since: Duration
    }

    private struct Place: Comparable {
        var readyAt: Duration
        var ticket: UInt64
        var key: Key

        static func < (left: Place, right: Place) -> Bool {
            (left.readyAt, left.ticket) < (right.readyAt, right.ticket)
        }
        static func == (left: Place, right: Place) -> Bool { left.ticket == right.ticket }
    }

    /// The most urgent first.
    private static var order: [WorkPriority] { [.change, .resync] }

    private var entries: [Key: Entry] = [:]
    /// Keys in line by priority; a place whose ticket is not its key's any more is skipped.
    private var ready: [WorkPriority: ArraySlice<Place>] = [:]
    /// A heap of those whose time has not come.
    private var delayed: [Place] = []
    private var working: Set<Key> = []
    /// What came for a key while it was worked on.
    private var again: [Key: (priority: WorkPriority, readyAt: Duration)] = [:]
    private var failures: [Key: Int] = [:]
    private var tickets: UInt64 = 0

    /// How many wait, by priority.
    private(set) var depths = Dictionary(uniqueKeysWithValues: WorkPriority.allCases.map { ($0, 0) })

    var depth: Int { entries.count }

    /// When the first of those whose time has not come is due.
    var nextDue: Duration? {
        mutating get {
            while let first = delayed.first, entries[first.key]?.ticket != first.ticket { _ = popDelayed() }
            return delayed.first?.readyAt
        }
    }

    /// Whether there is something to hand out.
    mutating func hasReady(now: Duration) -> Bool {
        promote(now: now)
        for priority in WorkPriority.allCases {
            while let place = ready[priority]?.first {
                if entries[place.key]?.ticket == place.ticket { return true }
                ready[priority]?.removeFirst()
            }
        }
        return false
    }

    /// Has a key wait. The higher priority and the earlier time of what it has and what it gets are kept.
    mutating func add(_ key: Key, priority: WorkPriority, readyAt: Duration, now: Duration) {
        if working.contains(key) {
            let before = again[key]
            again[key] = (
                max(before?.priority ?? priority, priority), min(before?.readyAt ?? readyAt, readyAt)
            )
            return
        }
        if let entry = entries[key] {
            let merged = (max(entry.priority, priority), min(entry.readyAt, readyAt))
            guard merged.0 != entry.priority || merged.1 < entry.readyAt else { return }
            // It keeps its place in line when it only became less urgent to wait for.
            if merged.0 == entry.priority, entry.readyAt <= now { return }
            place(key, priority: merged.0, readyAt: merged.1, since: entry.since, now: now)
        } else {
            place(key, priority: priority, readyAt: readyAt, since: now, now: now)
        }
    }

    private mutating func place(
        _ key: Key, priority: WorkPriority, readyAt: Duration, since: Duration, now: Duration
    ) {
        tickets += 1
        if let before = entries[key] { depths[before.priority, default: 0] -= 1 }
        depths[priority, default: 0] += 1
        entries[key] = Entry(priority: priority, readyAt: readyAt, ticket: tickets, since: since)
        let place = Place(readyAt: readyAt, ticket: tickets, key: key)
        if readyAt <= now {
            ready[priority, default: []].append(place)
        } else {
            pushDelayed(place)
        }
    }

    /// The most urgent key whose time has come, and how long it waited since it was due.
    mutating func next(now: Duration) -> (key: Key, waited: Duration)? {
        promote(now: now)
        for priority in Self.order {
            while let place = ready[priority]?.popFirst() {
                guard let entry = entries[place.key], entry.ticket == place.ticket else { continue }
                entries[place.key] = nil
                depths[priority, default: 0] -= 1
                working.insert(place.key)
                return (place.key, now - max(entry.since, entry.readyAt))
            }
            // What was taken out is given back.
            if ready[priority]?.isEmpty == true { ready[priority] = [] }
        }
        return nil
    }

    private mutating func promote(now: Duration) {
        while let due = nextDue, due <= now {
            let place = popDelayed()
            guard let priority = entries[place.key]?.priority else { continue }
            ready[priority, default: []].append(place)
        }
    }

    /// The work on a key has ended; what came for it meanwhile waits now.
    ///
    /// - Parameter failed: whether it waits again, by the pause of its failures.
    mutating func done(_ key: Key, failed: Bool, now: Duration) {
        working.remove(key)
        let waiting = again.removeValue(forKey: key)
        if let waiting { add(key, priority: waiting.priority, readyAt: waiting.readyAt, now: now) }
        guard failed else {
            failures[key] = nil
            return
        }
        let count = failures[key, default: 0]
        failures[key] = count + 1
        let pause = min(Self.longestPause, Self.firstPause * (1 << min(count, 18)))
        if waiting == nil { add(key, priority: .change, readyAt: now + pause, now: now) }
    }

    private mutating func pushDelayed(_ place: Place) {
        delayed.append(place)
        var child = delayed.count - 1
        while child > 0, delayed[child] < delayed[(child - 1) / 2] {
            delayed.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popDelayed() -> Place {
        let first = delayed[0]
        let last = delayed.removeLast()
        guard !delayed.isEmpty else { return first }
        delayed[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < delayed.count && delayed[child] < delayed[least]
            {
                least = child
            }
            guard least != parent else { return first }
            delayed.swapAt(parent, least)
            parent = least
        }
    }
}
