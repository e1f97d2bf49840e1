// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A refusal as an answer needs it; the code is text, so that codes of every area can be answered.
package struct RefusalOutcome: Sendable {
    /// The real status; 200 when allowed.
    package var status: Int
    package var code: String?
    package var message: String?
    package var retryAfterSeconds: Int64?
    /// The value of `WWW-Authenticate` for 401 and 403.
    package var challenge: String?

    package init(
        status: Int, code: String? = nil, message: String? = nil, retryAfterSeconds: Int64? = nil,
        challenge: String? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
        self.challenge = challenge
    }

    /// The outcome of a refusal, or of being allowed.
    package init(_ refusal: Refusal?) {
        self.init(
            status: refusal?.status ?? 200, code: refusal?.code.rawValue, message: refusal?.message,
            retryAfterSeconds: refusal?.retryAfterSeconds, challenge: refusal?.challenge)
    }

    /// The headers of a refused answer.
    package enum Header: String, Sendable, CaseIterable {
        case cacheControl = "Cache-Control"
        case reason = "X-Auth-Reason"
        case message = "X-Ext-Auth-Reason"
        case realStatus = "X-Auth-Status"
        case challenge = "WWW-Authenticate"
        case retryAfter = "Retry-After"
        case requestID = "X-Request-Id"
    }

    /// Tells every header of the refused answer, in the order of the documentation.
    package func eachHeader(requestID: String, _ tell: (Header, String) -> Void) {
        tell(.cacheControl, "no-store")
        tell(.reason, code ?? "")
        tell(.message, HeaderText.encode(message ?? ""))
        tell(.realStatus, String(status))
        if status == 401 || status == 403, let challenge { tell(.challenge, challenge) }
        if let retryAfterSeconds { tell(.retryAfter, String(retryAfterSeconds)) }
        tell(.requestID, requestID)
    }
}
