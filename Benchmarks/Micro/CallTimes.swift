// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// How long calls took that several callers made at once, and how long all of them together.
struct CallTimes {
    /// In nanoseconds, in order of length.
    private let sorted: [Int64]
    private let whole: Int64

    init(_ times: [Int64], whole: Int64) {
        sorted = times.sorted()
        self.whole = whole
    }

    /// Calls `operation` with the numbers from 0, each of so many callers one after the other.
    static func of(
        callers: Int, count: Int, _ operation: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> CallTimes {
        let each = max(1, count / callers)
        let whole = Stopwatch()
        let times = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var times: [Int64] = []
                    for index in 0..<each {
                        let watch = Stopwatch()
                        try await operation(caller + index * callers)
                        times.append(watch.nanoseconds)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return CallTimes(times, whole: whole.nanoseconds)
    }

    /// The time that a share of the calls did not exceed, in microseconds.
    func micros(_ share: Double) -> Double { Double(sorted[Int(Double(sorted.count - 1) * share)]) / 1000 }

    /// Calls a second, of all callers together.
    var rate: Double { Double(sorted.count) / (Double(whole) / 1e9) }
}
