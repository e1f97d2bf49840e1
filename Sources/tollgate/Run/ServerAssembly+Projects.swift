// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Logging
internal import RuntimeState

extension ServerAssembly {
    /// Projects and shares in that store; none are in force yet.
    static func projects(
        _ store: any ProjectStore, snapshots: SnapshotStore, clock: any WallClock, random: any RandomSource,
        logger: Logger
    ) -> ProjectRegistry {
        ProjectRegistry(
            store: store, clock: clock, random: random, publish: { snapshots.replace(shares: $0) },
            report: { error in
                logger.error(
                    "The project store did not do its work",
                    metadata: [LogKeys.error: .string(String(describing: error))])
            })
    }
}
