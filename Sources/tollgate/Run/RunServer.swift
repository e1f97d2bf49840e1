// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Runs the server until it is told to stop.
func runServer(_ settings: TollgateSettings, manifests: [String]) async throws {
    _ = (settings, manifests)
}
