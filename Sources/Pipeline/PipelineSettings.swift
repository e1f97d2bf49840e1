// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The settings of the request pipeline.
package struct PipelineSettings: Sendable {
    /// Longest time that a decision may take before it is a 503 `decision.timeout`.
    package var timeout: Duration
    /// Decisions under way at once; one more is a 503 `decision.overloaded`.
    package var maxInFlight: Int

    /// The documented defaults: 150 ms, 2000 decisions.
    package init(timeout: Duration = .milliseconds(150), maxInFlight: Int = 2000) {
        self.timeout = timeout
        self.maxInFlight = maxInFlight
    }
}
