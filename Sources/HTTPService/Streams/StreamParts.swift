// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
package import Essentials
package import Logging
package import Pipeline

/// What live streams are made of.
package struct StreamParts: Sendable {
    let hub: LiveHub
    let decider: any RequestDeciding
    let audit: any AuditRecording
    let clock: any WallClock
    let time: any MonotonicClock
    let logger: Logger

    package init(
        hub: LiveHub, decider: any RequestDeciding, audit: any AuditRecording, clock: any WallClock,
        time: any MonotonicClock, logger: Logger
    ) {
        self.hub = hub
        self.decider = decider
        self.audit = audit
        self.clock = clock
        self.time = time
        self.logger = logger
    }
}
