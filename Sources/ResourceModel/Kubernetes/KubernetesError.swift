// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Why a call of the Kubernetes API failed, told from the API's Status object where there is one.
///
/// Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/#status-v1-meta
package struct KubernetesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller acts on.
    package enum Code: String, Sendable, CaseIterable {
        case badRequest, unauthorized, forbidden, notFound, methodNotAllowed, alreadyExists, conflict
        /// 410: the resourceVersion or the continue token is too old.
        case expired
        /// 422: the object is refused; `causes` names the fields.
        case invalid
        case tooLarge, unsupportedMediaType, tooManyRequests
        /// 500, and every other answer of the server that says nothing better.
        case internalError
        /// 503.
        case unavailable
        /// 504, or the server's own time-out.
        case serverTimeout
        /// No connection, TLS failure, or the connection was lost.
        case unreachable
        /// The call took longer than it may.
        case timedOut
        /// A watch brought no byte for as long as it may.
        case idle
        /// What came is not what the API sends: not JSON, a line that is too long, a member that is missing.
        case malformedAnswer
        /// The caller was cancelled.
        case cancelled
    }

    /// One thing that is wrong with an object.
    package struct Cause: Sendable, Hashable {
        /// The field's path, as the server writes it.
        package let field: String
        package let message: String

        package init(field: String, message: String) {
            self.field = field
            self.message = message
        }
    }

    package var code: Code
    /// The HTTP status, where there was an answer.
    package var status: Int?
    /// The API's own word: `AlreadyExists`.
    package var reason: String
    /// For people, bounded to 1 KiB; credentials never stand in it.
    package var message: String
    /// How long the server asks to wait.
    package var retryAfter: Duration?
    package var causes: [Cause]

    package init(
        _ code: Code, status: Int? = nil, reason: String = "", message: String, retryAfter: Duration? = nil,
        causes: [Cause] = []
    ) {
        self.code = code
        self.status = status
        self.reason = reason
        self.message = BoundedText.cut(message, bytes: 1024)
        self.retryAfter = retryAfter
        self.causes = causes
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
