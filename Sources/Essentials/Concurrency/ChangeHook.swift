// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Lets one listener hear that something changed. Calling it is cheap; the listener must not wait and must not take the caller's locks.
package final class ChangeHook: Sendable {
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)

    /// A hook that nobody listens to.
    package init() {}

    /// Names the listener.
    package func listen(_ listener: @escaping @Sendable () -> Void) { self.listener.withLock { $0 = listener } }

    /// Tells the listener, if there is one.
    package func call() { listener.withLock { $0 }?() }
}
