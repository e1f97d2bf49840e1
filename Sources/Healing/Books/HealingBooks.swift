// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// What healing remembers: executed actions of the live mode and of the dry run apart, failures in a row by target, and whether it is halted.
///
/// At most `maximumLines` lines; what is of no use any more goes, the oldest first, after 24 h at the latest.
package struct HealingBooks: Sendable, Hashable {
    /// The most lines there are.
    package static let maximumLines = 512
    /// In seconds: how long a line is kept.
    package static let lifetime: Int64 = 86_400
    /// In seconds: the window of budgets and failures.
    package static let hour: Int64 = 3600
    private static let maximumEntries = 440

    /// Failures in a row on one target.
    package struct Streak: Sendable, Hashable {
        package var count: Int64
        package var at: Timestamp
    }

    /// Why live actions are stopped.
    package struct Halt: Sendable, Hashable {
        package var since: Timestamp
        package var reason: String
    }

    /// By the id of the action.
    package private(set) var entries: [String: BookEntry] = [:]
    /// By the text of the target.
    package private(set) var streaks: [String: Streak] = [:]
    package private(set) var halt: Halt?
    /// Failures before this do not count any more.
    package private(set) var resumedAt: Timestamp?
    /// When it was last told that the budget is exhausted.
    package private(set) var budgetToldAt: Timestamp?

    /// Empty books.
    package init() {}

    /// Reads stored lines; those that cannot be read, or that are too old, are left out.
    package init(_ records: [BookRecord], at now: Timestamp) { self = Self.read(records, at: now).books }

    /// Reads stored lines.
    ///
    /// - Returns: the books, and the changes that take the lines out of the store that are of no use any more. A line that cannot be read,
    ///   as one of a later version, stays there for its lifetime.
    package static func read(_ records: [BookRecord], at now: Timestamp) -> (books: HealingBooks, dropped: [BookChange])
    {
        var books = HealingBooks()
        var dropped: [BookChange] = []
        for record in records where !books.take(record) {
            let isCounted = record.key.hasPrefix("a.") || record.key.hasPrefix("s.")
            if isCounted, now.seconds - record.at.seconds > lifetime { dropped.append(.remove(key: record.key)) }
        }
        return (books, books.prune(at: now) + dropped)
    }

    /// False when the line cannot be read.
    private mutating func take(_ record: BookRecord) -> Bool {
        switch record.key {
        case "halt":
            guard let reason = record.value["reason"]?.stringValue else { return false }
            halt = Halt(since: record.at, reason: reason)
        case "resumed": resumedAt = record.at
        case "budget-told": budgetToldAt = record.at
        case let key where key.hasPrefix("s."):
            guard let target = record.value["target"]?.stringValue, let count = record.value["count"]?.intValue
            else { return false }
            streaks[target] = Streak(count: count, at: record.at)
        default:
            guard let entry = BookEntry(record) else { return false }
            entries[entry.plan.id] = entry
        }
        return true
    }

    /// What makes the store say what these books say, whatever became of earlier writes.
    package func catchUp(_ stored: [BookRecord], at now: Timestamp) -> [BookChange] {
        let records = records
        let own = Set(records.map(\.key))
        let (known, dropped) = Self.read(stored, at: now)
        let stale = known.records.map { BookChange.remove(key: $0.key) }
        return (dropped + stale).filter { !own.contains($0.key) } + records.map(BookChange.put)
    }

    /// Every line, to be stored.
    package var records: [BookRecord] {
        entries.values.map(\.record) + streaks.map { Self.record($0.key, $0.value) } + special
    }

    private var special: [BookRecord] {
        var records: [BookRecord] = []
        if let halt { records.append(Self.record(halt)) }
        if let resumedAt { records.append(BookRecord(key: "resumed", at: resumedAt, value: [:])) }
        if let budgetToldAt { records.append(BookRecord(key: "budget-told", at: budgetToldAt, value: [:])) }
        return records
    }

    // MARK: - Questions

    /// The live actions that run, the oldest first.
    package var running: [BookEntry] {
        entries.values.filter { $0.state.isRunning && !$0.isDryRun }
            .sorted { ($0.plan.startedAt, $0.plan.id) < ($1.plan.startedAt, $1.plan.id) }
    }

    /// How many slots are taken.
    package var slotsTaken: Int { running.count { $0.plan.action.actsOnCluster } }

    /// When this alert last led to an action on this target.
    package func lastExecution(alert: String, target: String, isDryRun: Bool) -> Timestamp? {
        entries.values.lazy.filter {
            $0.isDryRun == isDryRun && $0.plan.alertName == alert && $0.plan.targetKey == target
        }.map(\.plan.startedAt).max()
    }

    /// Executed actions that still count against the budget, in all or on one target.
    package func spent(isDryRun: Bool, target: String? = nil, at now: Timestamp) -> Int {
        entries.values.count { entry in
            entry.isDryRun == isDryRun && entry.plan.action.actsOnCluster
                && Self.isWithinHour(entry.plan.startedAt, now) && (target == nil || entry.plan.targetKey == target)
        }
    }

    /// Whether the instant lies less than an hour back.
    static func isWithinHour(_ instant: Timestamp, _ now: Timestamp) -> Bool {
        now.microseconds - instant.microseconds < hour * 1_000_000
    }

    // MARK: - Changes

    /// Notes an action before it is sent.
    package mutating func begin(_ entry: BookEntry) -> [BookChange] {
        entries[entry.plan.id] = entry
        return prune(at: entry.plan.startedAt) + [.put(entry.record)]
    }

    /// Notes what is known of an action that runs.
    package mutating func update(_ id: String, state: BookEntry.State, baseline: JSONObject) -> [BookChange] {
        guard var entry = entries[id] else { return [] }
        entry.state = state
        entry.baseline = baseline
        entries[id] = entry
        return [.put(entry.record)]
    }

    /// Takes back an action that was never sent.
    package mutating func forget(_ id: String) -> [BookChange] {
        guard let entry = entries.removeValue(forKey: id) else { return [] }
        return [.remove(key: entry.key)]
    }

    /// Notes the end of an action.
    ///
    /// - Returns: what to store, and why everything is halted from now on, if it is by this failure.
    package mutating func settle(
        _ id: String, succeeded: Bool, at now: Timestamp
    ) -> (changes: [BookChange], halted: String?) {
        guard var entry = entries[id] else { return ([], nil) }
        entry.state = succeeded ? .succeeded : .failed(at: now)
        entry.baseline = JSONObject()
        entries[id] = entry
        var changes: [BookChange] = [.put(entry.record)]
        guard entry.plan.action.actsOnCluster, !entry.isDryRun else { return (changes, nil) }
        let target = entry.plan.targetKey
        guard !succeeded else {
            if streaks.removeValue(forKey: target) != nil { changes.append(.remove(key: Self.key(target))) }
            return (changes, nil)
        }
        let streak = Streak(count: (streaks[target]?.count ?? 0) + 1, at: now)
        streaks[target] = streak
        changes.append(.put(Self.record(target, streak)))
        guard halt == nil, let reason = haltReason(target, at: now) else { return (changes, nil) }
        let halt = Halt(since: now, reason: reason)
        self.halt = halt
        changes.append(.put(Self.record(halt)))
        return (changes, reason)
    }

    private func haltReason(_ target: String, at now: Timestamp) -> String? {
        if let streak = streaks[target], streak.count >= 5 { return "\(streak.count) failures in a row on \(target)" }
        let failures = entries.values.count { entry in
            guard case .failed(let at) = entry.state, !entry.isDryRun else { return false }
            return Self.isWithinHour(at, now) && (resumedAt.map { at > $0 } ?? true)
        }
        return failures >= 50 ? "\(failures) failures within an hour" : nil
    }

    /// A person has looked: failures so far do not count any more.
    package mutating func resume(at now: Timestamp) -> [BookChange] {
        var changes: [BookChange] = streaks.keys.sorted().map { .remove(key: Self.key($0)) }
        streaks = [:]
        // Also where these books know of none: the store may.
        changes.append(.remove(key: "halt"))
        halt = nil
        resumedAt = now
        changes.append(.put(BookRecord(key: "resumed", at: now, value: [:])))
        return changes
    }

    /// Whether to tell that the budget is exhausted: once an hour.
    package mutating func tellsBudget(at now: Timestamp) -> [BookChange]? {
        if let budgetToldAt, Self.isWithinHour(budgetToldAt, now) { return nil }
        budgetToldAt = now
        return [.put(BookRecord(key: "budget-told", at: now, value: [:]))]
    }

    /// Takes out what is of no use any more.
    package mutating func prune(at now: Timestamp) -> [BookChange] {
        var latest: [String: Timestamp] = [:]
        func key(_ entry: BookEntry) -> String { "\(entry.isDryRun)\n\(entry.plan.alertName)\n\(entry.plan.targetKey)" }
        for entry in entries.values {
            latest[key(entry)] = max(latest[key(entry)] ?? .distantPast, entry.plan.startedAt)
        }
        var gone = entries.values.filter { entry in
            guard !entry.state.isRunning else { return false }
            let age = now.seconds - entry.plan.startedAt.seconds
            return age > Self.lifetime || (age > 3 * Self.hour && latest[key(entry)] != entry.plan.startedAt)
        }
        for entry in gone { entries[entry.plan.id] = nil }
        if entries.count > Self.maximumEntries {
            // The dry run's go first: nothing depends on them.
            let order = entries.values.filter { !$0.state.isRunning }.sorted {
                ($0.isDryRun ? 0 : 1, $0.plan.startedAt, $0.plan.id) < (
                    $1.isDryRun ? 0 : 1, $1.plan.startedAt, $1.plan.id
                )
            }
            let surplus = order.prefix(entries.count - Self.maximumEntries)
            for entry in surplus { entries[entry.plan.id] = nil }
            gone += surplus
        }
        var changes: [BookChange] = gone.map(\.key).sorted().map { .remove(key: $0) }
        let old = streaks.filter { now.seconds - $0.value.at.seconds > Self.lifetime }.map(\.key)
        let surplus =
            streaks.count - old.count > 60
            ? streaks.sorted { $0.value.at < $1.value.at }.prefix(streaks.count - 60).map(\.key) : []
        for target in Set(old + surplus).sorted() {
            streaks[target] = nil
            changes.append(.remove(key: Self.key(target)))
        }
        return changes
    }

    // MARK: - Lines

    private static func key(_ target: String) -> String {
        "s." + Hex.encode(SHA256.hash(data: Array(target.utf8))).prefix(32)
    }

    private static func record(_ target: String, _ streak: Streak) -> BookRecord {
        BookRecord(key: key(target), at: streak.at, value: ["target": .string(target), "count": .int(streak.count)])
    }

    private static func record(_ halt: Halt) -> BookRecord {
        BookRecord(key: "halt", at: halt.since, value: ["reason": .string(halt.reason)])
    }
}

extension Timestamp {
    /// Before everything that is recorded.
    fileprivate static let distantPast = Timestamp(microseconds: .min)
}
