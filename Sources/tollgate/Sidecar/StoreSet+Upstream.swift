// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Persistence

extension StoreSet {
    /// What a sidecar has: credentials and shares are its operator's, and of its own only what must outlive a restart.
    static func upstream(
        _ link: UpstreamLink, _ settings: TollgateSettings, clock: any WallClock
    ) throws -> StoreSet {
        let own = try SQLiteStore(path: settings.embeddedStorePath, clock: clock)
        return StoreSet(
            tokens: UpstreamTokenStore(report: link.usage), keys: UpstreamKeyStore(report: link.usage), projects: nil,
            idempotency: own, statuses: own, audit: nil, shared: nil, close: { try own.close() })
    }
}
