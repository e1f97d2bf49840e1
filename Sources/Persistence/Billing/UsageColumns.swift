// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// The amounts of usage as both databases keep them: a column each, in this order.
enum UsageColumns {
    static let amounts = [
        "requests", "input", "output", "cache_read", "cache_write", "reasoning", "agent_calls", "agent_seconds",
        "tasks", "list_micro_usd", "charge_micro_usd", "charge_micro_credits",
    ]

    /// The columns in one text.
    static let amountList = amounts.joined(separator: ", ")

    /// Adds what is inserted to what is there, up to the largest number and no further.
    ///
    /// - Parameters:
    ///   - table: the name of the row that is there.
    ///   - atLeast: the database's function that gives the larger of two numbers.
    static func additions(to table: String, atLeast: String) -> String {
        amounts.map { column in
            """
            \(column) = CASE WHEN \(table).\(column) > 9223372036854775807 - \(atLeast)(excluded.\(column), 0)
                THEN 9223372036854775807 ELSE \(table).\(column) + excluded.\(column) END
            """
        }.joined(separator: ", ")
    }
}

extension UsageAmounts {
    /// In the order of `UsageColumns.amounts`.
    var values: [Int64] {
        [
            requests, input, output, cacheRead, cacheWrite, reasoning, agentCalls, agentSeconds, tasks, listMicroUSD,
            chargeMicroUSD, chargeMicroCredits,
        ]
    }

    /// Takes each value by its place in `UsageColumns.amounts`.
    init(_ value: (Int) throws -> Int64) rethrows {
        self.init()
        requests = try value(0)
        input = try value(1)
        output = try value(2)
        cacheRead = try value(3)
        cacheWrite = try value(4)
        reasoning = try value(5)
        agentCalls = try value(6)
        agentSeconds = try value(7)
        tasks = try value(8)
        listMicroUSD = try value(9)
        chargeMicroUSD = try value(10)
        chargeMicroCredits = try value(11)
    }
}

/// What tells windows of an account apart.
private struct WindowPlace: Hashable {
    let granularity: UsageWindowDelta.Granularity
    let start: Timestamp
    let dimensions: UsageDimensions
}

extension Sequence where Element == UsageWindowDelta {
    /// One delta for each window, in one order.
    var merged: [UsageWindowDelta] {
        var places: [WindowPlace: Int] = [:]
        var deltas: [UsageWindowDelta] = []
        for delta in self {
            let place = WindowPlace(granularity: delta.granularity, start: delta.start, dimensions: delta.dimensions)
            if let index = places[place] {
                deltas[index].amounts.add(delta.amounts)
            } else {
                places[place] = deltas.count
                deltas.append(delta)
            }
        }
        return deltas
    }
}

extension UsageDimensions {
    /// The value of a dimension.
    subscript(dimension: UsageDimension) -> String {
        get {
            switch dimension {
            case .model: model
            case .agent: agent
            case .user: user
            case .project: project
            }
        }
        set {
            switch dimension {
            case .model: model = newValue
            case .agent: agent = newValue
            case .user: user = newValue
            case .project: project = newValue
            }
        }
    }
}

extension UsageWindowDelta.Granularity {
    /// The number that stands for it in a row.
    var number: Int64 {
        switch self {
        case .hour: 1
        case .day: 2
        case .week: 3
        case .month: 4
        }
    }
}
