// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How Redis is reached.
package struct RedisSettings: Sendable {
    package var address: RedisAddress
    /// PEM file of the authorities that may sign the servers' certificates; nil = the system's.
    package var authorities: String?
    /// User and password of the sentinels, where they want some.
    package var sentinelUser: String?
    package var sentinelPassword: Redacted<String>?
    /// How long an ordinary command may take.
    package var commandTimeout: Duration
    /// How long it may take until a new connection answers.
    package var connectTimeout: Duration
    /// How long nothing may be heard of a connection until it is asked.
    package var healthInterval: Duration
    /// The longest pause between two attempts to connect; the first ones are shorter.
    package var longestPause: Duration
    /// Timeouts in a row after which a connection is given up.
    package var timeoutsUntilLost: Int
    /// Replies that may be waited for on one connection.
    package var maximumWaiting: Int
    /// Put before every key.
    package var keyPrefix: String

    package init(
        address: RedisAddress, authorities: String? = nil, sentinelUser: String? = nil,
        sentinelPassword: Redacted<String>? = nil, commandTimeout: Duration = .milliseconds(50),
        connectTimeout: Duration = .seconds(2), healthInterval: Duration = .seconds(2),
        longestPause: Duration = .seconds(3), timeoutsUntilLost: Int = 3, maximumWaiting: Int = 10_000,
        keyPrefix: String = ""
    ) {
        self.address = address
        self.authorities = authorities
        self.sentinelUser = sentinelUser
        self.sentinelPassword = sentinelPassword
        self.commandTimeout = commandTimeout
        self.connectTimeout = connectTimeout
        self.healthInterval = healthInterval
        self.longestPause = longestPause
        self.timeoutsUntilLost = timeoutsUntilLost
        self.maximumWaiting = maximumWaiting
        self.keyPrefix = keyPrefix
    }

    /// The pause before the next attempt: anything up to twice as long as the last bound (full jitter), 50 ms at first.
    ///
    /// - Parameter failures: attempts that have failed since the last success, at least 1.
    func pause(afterFailures failures: Int, random: any RandomSource) -> Duration {
        let doubled = Duration.milliseconds(50) * (1 << min(max(0, failures - 1), 16))
        let bound = min(doubled, longestPause).wholeMicroseconds
        let drawn = random.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return .microseconds(Int64(drawn % UInt64(max(1, bound))))
    }
}
