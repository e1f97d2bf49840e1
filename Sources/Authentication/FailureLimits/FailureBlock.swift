// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An address or identity that is refused for a while because it failed too often.
package struct FailureBlock: Sendable, Hashable {
    /// What failed.
    package enum Kind: String, Sendable {
        case ip, identity
    }

    package let kind: Kind
    /// Names it in the list of blocks: `ip:` or `identity:` and the address, /64 or identity.
    package let key: String
    /// Failures that count.
    package let count: Int
    package let retryAfterSeconds: Int64

    init<Key>(kind: Kind, key: String, standing: FailureWindows<Key>.Standing) {
        self.kind = kind
        self.key = key
        count = standing.count
        retryAfterSeconds = standing.retryAfterSeconds
    }

    /// As the list of blocks shows it.
    package var json: JSONObject {
        [
            "key": .string(key), "kind": .string(kind.rawValue), "count": .int(Int64(count)),
            "retry_after": .int(retryAfterSeconds),
        ]
    }
}

/// The settings of the failure limits.
package struct FailureLimitSettings: Sendable, Hashable {
    /// Failures of an address in an interval; 0 = off.
    package var perAddress: Int
    /// Failures of an identity in an interval; 0 = off.
    package var perIdentity: Int
    package var intervalSeconds: Int64
    /// Keys that are remembered, of each kind.
    package var maximumKeys: Int

    package init(perAddress: Int = 20, perIdentity: Int = 10, intervalSeconds: Int64 = 60, maximumKeys: Int = 10_000) {
        self.perAddress = perAddress
        self.perIdentity = perIdentity
        self.intervalSeconds = intervalSeconds
        self.maximumKeys = maximumKeys
    }
}
