// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where requests are counted. One call is one look at all limits of a request, so that a store on another machine needs one round trip.
package protocol RequestLimitStore: Sendable {
    /// Counts a request in every window of every limit if all of them have room, else in none. Keys are different from each other.
    ///
    /// - Throws: a refusal when the store cannot be asked within the time.
    func take(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer

    /// What `take` would answer now, counting nothing: remaining as it is without this request.
    func look(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer

    /// Takes back what `take` counted for a request that was refused after all.
    ///
    /// - Parameter answer: what `take` said.
    func giveBack(_ limits: [RequestLimit], _ answer: RequestLimitAnswer) async
}
