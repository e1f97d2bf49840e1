// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension Int64 {
    /// The sum, or the nearest number there is: counters stand still at their end.
    package func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
