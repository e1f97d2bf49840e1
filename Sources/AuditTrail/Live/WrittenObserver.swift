// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Lets one listener hear of entries that are synced.
final class WrittenObserver: Sendable {
    /// A mutex holds values of every type alike: a function of its own would be wrapped once more at each access, without end.
    private struct Listener: Sendable {
        let hear: @Sendable ([AuditRow]) -> Void
    }

    private let listener = Mutex<Listener?>(nil)

    /// Names the listener.
    func listen(_ listener: @escaping @Sendable ([AuditRow]) -> Void) {
        self.listener.withLock { $0 = Listener(hear: listener) }
    }

    /// Tells the listener, if there is one.
    func tell(_ rows: [AuditRow]) { listener.withLock { $0 }?.hear(rows) }
}
