// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a tool may use at the most.
package struct ToolLimits: Sendable, Hashable {
    package var memoryMB: Int64
    package var cpuSeconds: Int64
    /// Wall clock.
    package var timeoutSeconds: Int64
    /// Bytes kept of stdout and of stderr, each.
    package var outputBytes: Int64

    /// Takes the four numbers.
    package init(memoryMB: Int64, cpuSeconds: Int64, timeoutSeconds: Int64, outputBytes: Int64) {
        self.memoryMB = memoryMB
        self.cpuSeconds = cpuSeconds
        self.timeoutSeconds = timeoutSeconds
        self.outputBytes = outputBytes
    }

    /// The column of policy `default`.
    package static let standard = ToolLimits(
        memoryMB: 512, cpuSeconds: 60, timeoutSeconds: 120, outputBytes: 1_048_576)
    /// The column of policy `restricted`.
    package static let restricted = ToolLimits(
        memoryMB: 128, cpuSeconds: 10, timeoutSeconds: 30, outputBytes: 262_144)
    /// What no column exceeds, unless the settings say otherwise.
    package static let installation = ToolLimits(
        memoryMB: 4096, cpuSeconds: 600, timeoutSeconds: 900, outputBytes: 16_777_216)
}
