// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Gathers the records of one transaction, and what each window gains in all.
struct UsageWriter {
    /// What all records have in common that belong into the same windows.
    private struct Place: Hashable {
        /// Hours since 1970.
        var hour: Int64
        var dimensions: UsageDimensions
    }

    private struct Day: Hashable {
        var dimension: UsageDimension
        var start: Timestamp
    }

    private let transaction: any BillingTransaction
    private var rows: [UsageRow] = []
    /// Where the windows of a place begin, one of each length.
    private var places: [Place: Int] = [:]
    private var deltas: [UsageWindowDelta] = []
    private var caps: [Day: DimensionCap] = [:]
    private let account: String
    private let known: KnownValues?
    /// Values that are counted under their own name.
    private var own: Set<KnownValues.Entry> = []
    /// Those of them that were not known before.
    private(set) var admitted: Set<KnownValues.Entry> = []

    init(_ transaction: any BillingTransaction, _ work: AccountWork) {
        self.transaction = transaction
        account = work.book.account
        known = work.knownValues
    }

    /// Takes a record; its windows are those of its own time.
    mutating func add(_ row: UsageRow) throws {
        rows.append(row)
        let lengths = UsageWindowDelta.Granularity.allCases
        let place = Place(hour: UTCDay.floor(row.at.seconds, 3600), dimensions: row.dimensions)
        if let first = places[place] {
            for index in first..<first + lengths.count { deltas[index].amounts.add(row.amounts) }
            return
        }
        let dimensions = try admitted(row.dimensions, day: UsageWindowDelta.Granularity.day.start(of: row.at))
        places[place] = deltas.count
        deltas += UsageWindowDelta.Granularity.windows(at: row.at, dimensions, row.amounts)
    }

    /// Writes everything.
    func store() throws {
        guard !rows.isEmpty else { return }
        try transaction.record(rows)
        try transaction.add(deltas)
    }

    /// Values beyond what a day may have are counted together.
    private mutating func admitted(_ dimensions: UsageDimensions, day: Timestamp) throws -> UsageDimensions {
        UsageDimensions(
            model: try admitted(dimensions.model, .model, day), agent: try admitted(dimensions.agent, .agent, day),
            user: try admitted(dimensions.user, .user, day), project: try admitted(dimensions.project, .project, day))
    }

    private mutating func admitted(
        _ value: String, _ dimension: UsageDimension, _ day: Timestamp
    ) throws -> String {
        guard !value.isEmpty else { return value }
        let entry = KnownValues.Entry(account: account, day: day, dimension: dimension, value: value)
        if own.contains(entry) { return value }
        if known?.contains(entry) == true {
            own.insert(entry)
            return value
        }
        let key = Day(dimension: dimension, start: day)
        // Only this value is asked for: a day may have ten thousand.
        let stored = try transaction.dimensionValues(dimension, day: day, among: [value])
        let name = caps[key, default: DimensionCap(count: stored.count)].admit(
            value, isKnown: stored.known.contains(value))
        if name == value, value != DimensionCap.other {
            admitted.insert(entry)
            own.insert(entry)
        }
        return name
    }
}
