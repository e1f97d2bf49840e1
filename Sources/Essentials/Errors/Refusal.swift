// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A "no" with its reason: what a client gets and what the records say. It is a value; a thrown error means that something is broken.
package struct Refusal: Sendable, Hashable, Error {
    /// The stable code, `area.reason`.
    package var code: ErrorCode
    /// What a person reads. Never holds a secret.
    package var message: String
    /// More about it, an object; nil where there is nothing to say.
    package var details: JSONObject?
    /// Whole seconds to wait before trying again, at least 1; for 429 and some 503.
    package var retryAfterSeconds: Int64?
    /// The scopes named in `WWW-Authenticate` of a 403.
    package var challengeScope: String?

    /// A refusal with the code's own message unless another is given.
    package init(
        _ code: ErrorCode, message: String? = nil, details: JSONObject? = nil, retryAfterSeconds: Int64? = nil,
        challengeScope: String? = nil
    ) {
        self.code = code
        self.message = message ?? code.message
        self.details = details
        self.retryAfterSeconds = retryAfterSeconds
        self.challengeScope = challengeScope
    }

    /// The HTTP status of the code.
    package var status: Int { code.status }

    /// The value of `WWW-Authenticate` (RFC 6750 section 3), for 401 and 403 only.
    package var challenge: String? {
        switch status {
        case 401:
            return code == .authMissingToken || code == .authAuthenticationRequired
                ? "Bearer" : "Bearer error=\"invalid_token\""
        case 403:
            guard let challengeScope else { return "Bearer error=\"insufficient_scope\"" }
            return "Bearer error=\"insufficient_scope\", scope=\"\(challengeScope)\""
        default: return nil
        }
    }

    /// The error envelope that every endpoint answers with.
    package func envelope(requestID: String) -> JSONValue {
        var object: JSONObject = ["code": .string(code.rawValue), "message": .string(message)]
        if let details { object["details"] = .object(details) }
        object["request_id"] = .string(requestID)
        return .object(object)
    }
}
