// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// After how long, and after how many of something, a pod counts as unhealthy. Times are exceeded when they are greater.
package struct HealthRules: Sendable, Hashable {
    /// For a pod that is not ready, and for one that no node fits.
    package var notReadyAfter = Duration.seconds(120)
    /// For images that cannot be pulled, and for containers that cannot be made.
    package var imagePullAfter = Duration.seconds(300)
    package var pendingAfter = Duration.seconds(600)
    /// So many restarts within the window are too many.
    package var restarts = 5
    package var restartWindow = Duration.seconds(600)
    /// How long past its time a pod may take to go.
    package var terminatingAfter = Duration.seconds(60)
    /// Whether one that takes longer is deleted by force.
    package var forcesDeletion = false

    /// The values for operation.
    package init() {}
}
