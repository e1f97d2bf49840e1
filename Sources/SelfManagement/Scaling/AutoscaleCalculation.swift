// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How many replicas the load asks for, held steady. Pure: times and measures come in.
package struct AutoscaleCalculation: Sendable {
    private struct Wish: Sendable {
        var at: Timestamp
        var wanted: Int
    }

    private struct Step: Sendable {
        var at: Timestamp
        var by: Int
    }

    private static let tolerance = 0.1
    private static let stepWindow = Duration.seconds(60)
    private static let stabilisation = Duration.seconds(300)

    private var wishes: [Wish] = []
    private var steps: [Step] = []
    /// Since when there have been wishes without a gap.
    private var since: Timestamp?

    /// Nothing was measured yet.
    package init() {}

    /// The replicas that the load asks for: the mean over all of them, those that could not be measured counted as at the target.
    ///
    /// - Parameters:
    ///   - measured: of each replica that could be measured.
    ///   - target: for each replica.
    package static func wanted(replicas: Int, measured: [Double], target: Double) -> Int {
        guard replicas > 0, target > 0, !measured.isEmpty else { return replicas }
        let missing = Double(max(0, replicas - measured.count))
        let count = max(replicas, measured.count)
        let mean = (measured.reduce(0, +) + missing * target) / Double(count)
        let ratio = mean / target
        // 1.1 has no exact form.
        guard ratio.isFinite, abs(ratio - 1) > tolerance + 1e-9 else { return replicas }
        // A whisker above a whole number is that number.
        return Int(min(100, max(0, (Double(replicas) * ratio - 1e-9).rounded(.up))))
    }

    /// The next number of replicas.
    ///
    /// - Parameters:
    ///   - wanted: what the load asks for now.
    ///   - replicas: what is there.
    package mutating func next(wanted: Int, replicas: Int, minimum: Int, maximum: Int, at now: Timestamp) -> Int {
        if since == nil { since = now }
        wishes.removeAll { now.since($0.at) >= Self.stabilisation }
        steps.removeAll { now.since($0.at) >= Self.stepWindow }
        wishes.append(Wish(at: now, wanted: wanted))
        var next = replicas
        if wanted > replicas {
            // From what was there a minute ago: at most twice as many, or four more.
            let base = replicas - steps.reduce(0) { $0 + max(0, $1.by) }
            next = max(replicas, min(wanted, max(base * 2, base + 4)))
        } else if wanted < replicas {
            let highest = wishes.map(\.wanted).max() ?? wanted
            let isSettled = since.map { now.since($0) >= Self.stabilisation } ?? false
            let isQuiet = steps.allSatisfy { $0.by > 0 }
            if isSettled, isQuiet, highest < replicas { next = replicas - 1 }
        }
        return min(max(next, minimum), max(minimum, maximum))
    }

    /// The number was changed.
    package mutating func changed(by difference: Int, at now: Timestamp) {
        steps.append(Step(at: now, by: difference))
    }

    /// Nothing was measured, or somebody else decides: what was wished before says nothing any more.
    package mutating func forget() {
        wishes = []
        since = nil
    }
}
