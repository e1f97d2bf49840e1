// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The cost of one operation: the median over several rounds.
struct Measurement {
    let name: String
    let nanoseconds: Double
    let allocations: Double

    /// How long to measure.
    struct Effort {
        let rounds: Int
        /// How much of the count that a measurement asks for is run each round, in percent.
        let percent: Int

        static let full = Effort(rounds: 7, percent: 100)
        static let quick = Effort(rounds: 3, percent: 20)
    }

    /// Runs `operation` `count` times a round, after one round to warm up. A batch that went over to another thread
    /// is not counted: times and allocations are those of one thread.
    ///
    /// What it works on is made by `prepare`, a batch at a time and outside the measurement, so that it is as warm in the processor's cache as
    /// a request that was just read.
    static func of<Input>(
        _ name: String, count: Int, effort: Effort, prepare: (_ index: Int) -> Input,
        operation: (Input) async throws -> Void
    ) async rethrows -> Measurement {
        var times: [Double] = []
        var allocations: [Double] = []
        let batch = 128
        let batches = max(1, count * effort.percent / 100 / batch)
        var index = 0
        for round in 0...effort.rounds {
            var elapsed: Int64 = 0
            var allocated: UInt64 = 0
            var counted = 0
            for _ in 0..<batches {
                var inputs: [Input] = []
                inputs.reserveCapacity(batch)
                for _ in 0..<batch {
                    inputs.append(prepare(index))
                    index += 1
                }
                let thread = ProcessorTime.thread
                let before = AllocationCounter.count
                let start = ProcessorTime.nanoseconds
                for input in inputs { try await operation(input) }
                guard thread == ProcessorTime.thread else { continue }
                elapsed += ProcessorTime.nanoseconds - start
                allocated += AllocationCounter.count - before
                counted += batch
            }
            guard round > 0, counted > 0 else { continue }
            times.append(Double(elapsed) / Double(counted))
            allocations.append(Double(allocated) / Double(counted))
        }
        return Measurement(name: name, nanoseconds: median(times), allocations: median(allocations))
    }

    /// Runs `operation` one after the other and takes the time on the wall: for what waits for somebody else.
    static func ofWaiting(
        _ name: String, count: Int, effort: Effort, operation: (_ index: Int) async throws -> Void
    ) async rethrows -> Measurement {
        var times: [Double] = []
        let count = max(1, count * effort.percent / 100)
        for round in 0...effort.rounds {
            let clock = ContinuousClock()
            let start = clock.now
            for index in 0..<count { try await operation(index) }
            let elapsed = (clock.now - start).components
            let nanoseconds = Double(elapsed.seconds) * 1e9 + Double(elapsed.attoseconds) / 1e9
            if round > 0 { times.append(nanoseconds / Double(count)) }
        }
        return Measurement(name: name, nanoseconds: median(times), allocations: .nan)
    }

    /// A row of the Markdown table, with the ratio to a reference.
    func row(reference: Measurement) -> String {
        let micros = Self.fixed(nanoseconds / 1000, 2)
        let ratio = Self.fixed(nanoseconds / reference.nanoseconds, 1)
        return "| \(name) | \(micros) | \(Self.fixed(allocations, 1)) | \(ratio) |"
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }

    /// A figure with that many digits behind the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((value * scale).rounded())
        guard digits > 0 else { return String(whole) }
        let unit = Int64(scale)
        let fraction = String(whole % unit)
        return "\(whole / unit)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
