// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Sends webhooks to addresses that accounts name, and knows which of them may be called.
package protocol WebhookSending: Sendable {
    /// Checks all that can be said of an address without the network.
    ///
    /// - Throws: 422 `request.invalid` with the field `url`.
    func check(_ url: String) throws(Refusal)

    /// One attempt: 20 s at most, redirects are not followed, the address is checked after it was resolved.
    func send(_ body: [UInt8], headers: WebhookHeaders, to url: String) async -> WebhookAnswer
}

/// What came of one attempt.
package enum WebhookAnswer: Sendable, Hashable {
    /// The receiver answered.
    case status(Int, retryAfterSeconds: Int64?)
    /// It could not be reached, or not in time.
    case unreachable(String)
    /// Its address is none that may be called.
    case forbidden(String)
}
