// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging

/// Background work in rounds, for as long as its task lives.
struct WorkRounds: Sendable {
    let time: any MonotonicClock
    let logger: Logger
    /// Told after each round how it ended.
    var ended: @Sendable (_ work: String, _ fault: (any Error)?) -> Void = { _, _ in }

    /// Works until it is cancelled: at once again after a round that found something, else after a pause.
    func run(_ name: String, pause: Duration, _ round: @Sendable () async throws -> Bool) async {
        var isFailing = false
        while !Task.isCancelled {
            var foundSome = false
            do {
                foundSome = try await round()
                isFailing = false
                ended(name, nil)
            } catch {
                // Said once for each time that it begins: the store tells of itself, too.
                if !isFailing, !Task.isCancelled {
                    logger.warning("billing work waits", metadata: ["work": "\(name)", LogKeys.error: "\(error)"])
                }
                isFailing = true
                if !Task.isCancelled { ended(name, error) }
            }
            guard !foundSome else { continue }
            do {
                try await time.pause(for: pause)
            } catch {
                return
            }
        }
    }
}
