// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Logging
package import Metrics

/// Tells operators which trusted tool keys are left out, and why.
package struct ToolKeyReport {
    /// The problems that were told last.
    private var told: [String] = []
    private let gauge: Gauge
    private let logger: Logger

    /// Shows that there are none, until there are.
    package init(metrics: any MetricsFactory, logger: Logger) {
        gauge = Gauge(label: "tollgate_tool_key_problems", factory: metrics)
        gauge.record(0)
        self.logger = logger
    }

    /// Takes the problems of a pass: each one that is new is logged, and so is that all are gone.
    package mutating func note(_ problems: [String]) {
        guard problems != told else { return }
        for problem in problems where !told.contains(problem) {
            logger.warning("tool key problem", metadata: [LogKeys.reason: "\(problem)"])
        }
        if problems.isEmpty { logger.notice("every trusted tool key is usable") }
        gauge.record(problems.count)
        told = problems
    }
}
