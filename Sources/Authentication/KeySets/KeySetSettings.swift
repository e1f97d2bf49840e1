// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How fetched key sets are kept.
package struct KeySetSettings: Sendable, Hashable {
    /// How long a set is good; 0 leaves it to the server.
    package var timeToLiveSeconds: Int64
    /// How long one fetch may take.
    package var timeout: Duration
    /// How long past its end a set is used while it cannot be fetched.
    package var maxStaleSeconds: Int64

    /// The defaults: 300 s, 5 s, 3600 s.
    package init(timeToLiveSeconds: Int64 = 300, timeout: Duration = .seconds(5), maxStaleSeconds: Int64 = 3600) {
        self.timeToLiveSeconds = timeToLiveSeconds
        self.timeout = timeout
        self.maxStaleSeconds = maxStaleSeconds
    }
}
