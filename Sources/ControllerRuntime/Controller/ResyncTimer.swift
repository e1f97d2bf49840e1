// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Does something at every interval, which varies by a tenth so that replicas do not move in step.
package struct ResyncTimer: Sendable {
    private let interval: Duration
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let pass: @Sendable () async -> Void

    package init(
        interval: Duration, time: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource,
        pass: @escaping @Sendable () async -> Void
    ) {
        self.interval = interval
        self.time = time
        self.random = random
        self.pass = pass
    }

    /// Waits and acts until it is cancelled; one pass at a time.
    package func run() async {
        while !Task.isCancelled {
            let pause = interval * (0.9 + 0.2 * random.fraction())
            guard (try? await time.pause(for: pause)) != nil else { return }  // cancelled
            await pass()
        }
    }
}
