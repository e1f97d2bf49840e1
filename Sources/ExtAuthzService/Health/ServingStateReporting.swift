// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Whether the process can decide, as its readiness probe says it.
package protocol ServingStateReporting: Sendable {
    /// False while the process starts, cannot decide, or is on its way out.
    var isServing: Bool { get }
}
