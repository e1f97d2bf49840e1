// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Texts that are to be announced: each once until it was, and not oftener than every so often.
package final class ChannelOutbox: Sendable {
    /// Texts that may wait; whoever misses one finds what it was about when it looks by itself.
    private static let capacity = 1024

    private let interval: Duration
    private let clock: any MonotonicClock
    private let waiting = Mutex<Set<String>>([])
    private let wake = Signal()

    /// - Parameter interval: between two rounds.
    package init(interval: Duration = .milliseconds(20), clock: any MonotonicClock = SystemMonotonicClock()) {
        self.interval = interval
        self.clock = clock
    }

    /// Puts a text in; returns at once.
    package func put(_ text: String) {
        waiting.withLock { waiting in
            if waiting.count < Self.capacity { waiting.insert(text) }
        }
        wake.call()
    }

    /// Gives texts away until it is cancelled.
    package func run(_ tell: @Sendable ([String]) async -> Void) async {
        while !Task.isCancelled {
            await wake.wait()
            let texts = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting.sorted()
            }
            if !texts.isEmpty { await tell(texts) }
            // Cancelled: the loop ends by itself.
            try? await clock.pause(for: interval)
        }
    }
}
