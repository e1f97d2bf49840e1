// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the cluster says about a token.
package enum TokenReviewStatus: Sendable, Hashable {
    case unknown
    /// - Parameter audiences: those of the asked ones that the token is for; empty when the server does not know audiences.
    case authenticated(ReviewedUser, audiences: [String])
}

/// Whom the cluster knows by a token.
package struct ReviewedUser: Sendable, Hashable {
    package var username: String
    package var uid: String?
    /// Sorted by bytes.
    package var groups: [String]
    /// Lists of texts by name.
    package var extra: JSONObject

    package init(username: String, uid: String? = nil, groups: [String] = [], extra: JSONObject = JSONObject()) {
        self.username = username
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }
}

/// The documents of `authentication.k8s.io/v1 TokenReview`.
///
/// Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
package enum TokenReviewDocument {
    private static let maximumNameBytes = 1024

    /// The question.
    package static func request(_ token: Redacted<String>, audiences: [String]) -> JSONValue {
        [
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": ["token": .string(token.revealed), "audiences": .strings(audiences)],
        ]
    }

    /// Reads the answer. Only `authenticated: true` with a name is a yes; whatever else a server sends that is no answer is a fault.
    ///
    /// - Throws: `malformedAnswer`.
    package static func status(of document: JSONValue) throws(TokenReviewError) -> TokenReviewStatus {
        guard let status = document["status"]?.objectValue else {
            throw TokenReviewError(.malformedAnswer, "status is missing in the TokenReview")
        }
        switch status["authenticated"] {
        case nil, .null, .bool(false): return .unknown
        case .bool(true): break
        default: throw TokenReviewError(.malformedAnswer, "status.authenticated of the TokenReview is no boolean")
        }
        guard let user = status["user"]?.objectValue, let name = user["username"]?.stringValue,
            !ASCII.trimmed(name).isEmpty, name.utf8.count <= maximumNameBytes
        else {
            throw TokenReviewError(
                .malformedAnswer, "status.user.username of the TokenReview is not 1 to \(maximumNameBytes) bytes")
        }
        let groups: [String]
        do {
            groups = try TextRules.nameSet(user["groups"] ?? .null)
        } catch {
            // As with other tokens: whoever has more groups than anything here can hold is nobody.
            return .unknown
        }
        let uid = user["uid"]?.stringValue
        return .authenticated(
            ReviewedUser(
                username: name, uid: uid?.isEmpty == true ? nil : uid, groups: groups,
                extra: user["extra"]?.objectValue ?? JSONObject()),
            audiences: status["audiences"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
}
