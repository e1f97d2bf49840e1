// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The cost of one operation: the median over several rounds.
struct Measurement {
    let name: String
    let nanoseconds: Double
    let allocations: Double

    /// Runs `operation` `count` times a round, after one round to warm up.
    static func of(
        _ name: String, rounds: Int = 7, count: Int, operation: (_ index: Int) async throws -> Void
    ) async rethrows -> Measurement {
        var times: [Double] = []
        var allocations: [Double] = []
        for round in 0...rounds {
            let before = AllocationCounter.count
            let watch = Stopwatch()
            for index in 0..<count { try await operation(index) }
            let elapsed = Double(watch.nanoseconds)
            guard round > 0 else { continue }
            times.append(elapsed / Double(count))
            allocations.append(Double(AllocationCounter.count - before) / Double(count))
        }
        return Measurement(name: name, nanoseconds: median(times), allocations: median(allocations))
    }

    /// A row of the Markdown table, with the ratio to a reference.
    func row(reference: Measurement) -> String {
        let micros = fixed(nanoseconds / 1000, 2)
        let ratio = fixed(nanoseconds / reference.nanoseconds, 1)
        return "| \(name) | \(micros) | \(fixed(allocations, 1)) | \(ratio) |"
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((value * scale).rounded())
        let unit = Int64(scale)
        let fraction = String(whole % unit)
        return "\(whole / unit)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
