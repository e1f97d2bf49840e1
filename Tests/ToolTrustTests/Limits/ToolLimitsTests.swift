// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing
internal import ToolTrust

@Suite struct ToolLimitsTests {
    @Test func noColumnExceedsTheInstallation() {
        for column in [ToolLimits.standard, .restricted] {
            #expect(column.memoryMB <= ToolLimits.installation.memoryMB)
            #expect(column.cpuSeconds <= ToolLimits.installation.cpuSeconds)
            #expect(column.timeoutSeconds <= ToolLimits.installation.timeoutSeconds)
            #expect(column.outputBytes <= ToolLimits.installation.outputBytes)
        }
    }
}
