// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Logging
internal import RuntimeState
internal import ServiceLifecycle

/// The first thing to happen when the process is told to stop: it says that it is not ready any more and goes on serving for a while, so that
/// whoever balances load can look elsewhere.
struct Drain: Service {
    let readiness: Readiness
    let audit: any AuditRecording
    let delay: Duration
    /// Whose waiting callers are sent away, so that they ask another replica.
    let desk: SnapshotDesk?
    /// Whose clients are told to go elsewhere.
    let live: LiveHub
    let logger: Logger

    func run() async throws {
        try await gracefulShutdown()
        logger.notice("draining")
        readiness.drain()
        desk?.close()
        live.drain()
        do {
            try await audit.record(
                AuditDraft(actor: "system", action: "system.stop", resource: "tollgate", outcome: .success))
        } catch {
            logger.error("the stop cannot be recorded", metadata: ["code": "\(error.code.rawValue)"])
        }
        try await Task.sleep(for: delay)
    }
}
