// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Lets one listener hear that something changed. Calling it is cheap; the listener must not wait and must not take the caller's locks.
package final class ChangeHook: Sendable {
    /// A mutex holds values of every type alike: a function of its own would be wrapped once more at each access, without end.
    private struct Listener: Sendable {
        let hear: @Sendable () -> Void
    }

    private let listener = Mutex<Listener?>(nil)

    /// A hook that nobody listens to.
    package init() {}

    /// Names the listener.
    package func listen(_ listener: @escaping @Sendable () -> Void) {
        self.listener.withLock { $0 = Listener(hear: listener) }
    }

    /// Tells the listener, if there is one.
    package func call() { listener.withLock { $0 }?.hear() }
}
