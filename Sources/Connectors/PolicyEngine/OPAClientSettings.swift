// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How the policy engine outside of the process is reached, and what happens when it is not.
package struct OPAClientSettings: Sendable, Hashable {
    /// `scheme://host[:port][/path]`, without a slash at the end.
    package var url: String
    /// Path of the answer, without a slash at the beginning.
    package var path: String
    /// For a whole call.
    package var timeout: Duration
    /// How long an answer is kept; zero = not at all.
    package var cacheLifetime: Duration
    /// Whether a workload request whose call failed passes the role check.
    package var failsOpen: Bool

    /// The documented defaults.
    package init(
        url: String = "http://localhost:8181", path: String = "v1/data/tollgate/decision",
        timeout: Duration = .seconds(2), cacheLifetime: Duration = .seconds(5), failsOpen: Bool = false
    ) {
        self.url = url
        self.path = path
        self.timeout = timeout
        self.cacheLifetime = cacheLifetime
        self.failsOpen = failsOpen
    }

    /// Where questions go.
    package var endpoint: String { "\(url)/\(path)" }
}
