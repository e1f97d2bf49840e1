// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authorization
internal import Essentials
internal import HTTPService
internal import Logging
internal import Persistence
internal import RuntimeState

extension ServerAssembly {
    /// Projects and shares: what is stored is in force before the first request is decided.
    static func projects(
        _ store: SQLiteStore, snapshots: SnapshotStore, audit: AuditLog, clock: any WallClock,
        random: any RandomSource, logger: Logger
    ) async throws -> ProjectRoutes {
        let registry = ProjectRegistry(
            store: store, clock: clock, random: random, publish: { snapshots.replace(shares: $0) },
            report: { error in
                logger.error(
                    "The project store did not do its work",
                    metadata: [LogKeys.error: .string(String(describing: error))])
            })
        do {
            try await registry.load()
        } catch {
            throw StartupProblem("the shares between projects cannot be read: \(error). Check TOLLGATE_DATA_DIR.")
        }
        return ProjectRoutes(registry: registry, audit: audit)
    }
}
