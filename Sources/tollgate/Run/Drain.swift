// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import ServiceLifecycle

/// The first thing to happen when the process is told to stop: it says that it is not ready any more and goes on serving for a while, so that
/// whoever balances load can look elsewhere.
struct Drain: Service {
    let readiness: Readiness
    let delay: Duration
    let logger: Logger

    func run() async throws {
        try await gracefulShutdown()
        logger.notice("draining")
        readiness.drain()
        try await Task.sleep(for: delay)
    }
}
