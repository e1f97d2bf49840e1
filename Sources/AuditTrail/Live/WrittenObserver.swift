// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Lets one listener hear of entries that are synced.
final class WrittenObserver: Sendable {
    private let listener = Mutex<(@Sendable ([AuditRow]) -> Void)?>(nil)

    /// Names the listener.
    func listen(_ listener: @escaping @Sendable ([AuditRow]) -> Void) { self.listener.withLock { $0 = listener } }

    /// Tells the listener, if there is one.
    func tell(_ rows: [AuditRow]) { listener.withLock { $0 }?(rows) }
}
