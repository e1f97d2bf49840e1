// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Waits for what happens outside this process: the one place in the tests that pauses. Inside the process a test drives a clock instead.
package enum Eventually {
    /// Asks `probe` until it gives a value.
    ///
    /// - Parameters:
    ///   - what: what is waited for, in words that finish "waited in vain for …".
    ///   - limit: how long it may take. The default is generous because the machine may be busy; it is not paid when things go well.
    /// - Throws: `WaitedInVain` at the limit; whatever `probe` throws, at once.
    package static func value<Value>(
        _ what: String, within limit: Duration = .seconds(300), probe: () async throws -> Value?
    ) async throws -> Value {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while true {
            if let value = try await probe() { return value }
            guard clock.now < deadline else { throw WaitedInVain(what: what, limit: limit) }
            try await clock.sleep(for: .milliseconds(20))
        }
    }

    /// Asks `probe` until it says yes.
    package static func holds(
        _ what: String, within limit: Duration = .seconds(300), probe: () async throws -> Bool
    ) async throws {
        try await value(what, within: limit) { try await probe() ? () : nil }
    }
}

/// A condition that did not come about in time.
package struct WaitedInVain: Error, CustomStringConvertible {
    package let what: String
    package let limit: Duration

    package var description: String { "waited in vain for \(what), \(limit)" }
}
