// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Who leads, and the way to it. Protocol of the doors; the composition root joins it with the election.
package protocol LeaderForwarding: Sendable {
    /// Whether this replica leads: it answers itself then.
    var isLeading: Bool { get }
    /// Sends a request on to the leader.
    ///
    /// - Throws: `k8s.no_leader` when it is not known or cannot be reached within its time.
    func forward(_ request: ForwardedRequest) async throws(Refusal) -> ForwardedAnswer
}

/// A request as it is sent on: the caller's own, with its credential.
package struct ForwardedRequest: Sendable {
    package var method: String
    /// Path and query as received.
    package var target: String
    package var headers: HeaderList
    package var body: [UInt8]

    package init(method: String, target: String, headers: HeaderList, body: [UInt8]) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// What the leader answered.
package struct ForwardedAnswer: Sendable {
    package var status: Int
    package var headers: HeaderList
    package var body: [UInt8]

    package init(status: Int, headers: HeaderList, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
