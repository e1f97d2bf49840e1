// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Growing pauses between tries of one thing: 800 ms to 30 s, doubled each time, drawn evenly from nought to that (full jitter), and back to the
/// start after 120 s without a fault.
package struct Backoff: Sendable {
    package static let first = Duration.milliseconds(800)
    package static let longest = Duration.seconds(30)
    package static let forgetting = Duration.seconds(120)

    private var faults = 0
    private var lastFault: Duration?

    package init() {}

    /// The pause after a fault at that instant.
    ///
    /// - Parameter draw: from 0 up to, not including, 1.
    package mutating func pause(at now: Duration, draw: Double) -> Duration {
        if let lastFault, now - lastFault >= Self.forgetting { faults = 0 }
        lastFault = now
        let ceiling = min(Self.longest, Self.first * (1 << min(faults, 6)))
        faults += 1
        return ceiling * draw
    }
}

extension RandomSource {
    /// A number from 0 up to, not including, 1.
    package func fraction() -> Double {
        let bits = bytes(7).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(bits >> 3) / Double(UInt64(1) << 53)
    }
}
