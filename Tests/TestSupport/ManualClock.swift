// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: WallClock {
    private let instant: Mutex<Timestamp>

    /// Starts at that instant; without one at 2026-03-01T12:00:00Z, where the acceptance cases stand.
    package init(_ start: Timestamp = Timestamp(seconds: 1_772_366_400)) { instant = Mutex(start) }

    package func now() -> Timestamp { instant.withLock { $0 } }

    /// Moves to an instant.
    package func set(_ instant: Timestamp) { self.instant.withLock { $0 = instant } }

    /// Moves forward.
    package func advance(seconds: Int64) { instant.withLock { $0 = $0.adding(seconds: seconds) } }
}
