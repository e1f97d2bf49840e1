// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A counter of each replica as it was read, and how fast it grew.
package struct LoadSamples: Sendable {
    private struct Sample: Sendable {
        var at: Timestamp
        var value: Double
    }

    /// The least and the most time between two readings that a rate is worked out from.
    private static let least = Duration.seconds(15)
    private static let window = Duration.seconds(60)
    private static let patience = Duration.seconds(120)

    private var samples: [String: [Sample]] = [:]

    /// Nothing was read yet.
    package init() {}

    /// Takes up a reading.
    ///
    /// - Parameter pod: by its uid, so that another pod of that name begins anew.
    package mutating func add(_ value: Double, of pod: String, at now: Timestamp) {
        guard value.isFinite, value >= 0 else { return }
        var known = samples[pod] ?? []
        // A counter that fell began anew with the process.
        if let last = known.last, value < last.value { known = [] }
        known.append(Sample(at: now, value: value))
        known.removeAll { now.since($0.at) > Self.patience }
        samples[pod] = known
    }

    /// Forgets all but these.
    package mutating func keep(_ pods: Set<String>) { samples = samples.filter { pods.contains($0.key) } }

    /// Growth a second over the last minute; nil where two readings are not enough apart.
    package func rate(of pod: String, at now: Timestamp) -> Double? {
        guard let known = samples[pod], let last = known.last, now.since(last.at) <= Self.window else { return nil }
        let start = last.at.adding(.zero - Self.window)
        let first = known.last { $0.at <= start } ?? known.first
        guard let first, last.at.since(first.at) >= Self.least else { return nil }
        let seconds = Double(last.at.microseconds - first.at.microseconds) / 1_000_000
        return (last.value - first.value) / seconds
    }
}
