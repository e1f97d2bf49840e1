// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// For whom a token must be made that the cluster judges in one place.
package struct TokenReviewPolicy: Sendable, Hashable {
    /// The audiences that are taken unless others are named. Never the API server's own: a token for that must not be good anywhere else.
    package static let defaultAudiences = ["tollgate"]

    /// One of these must be an audience of the token; sorted by bytes, never empty.
    package let audiences: [String]
    /// Of the audiences.
    let fingerprint: Fingerprint

    /// Takes the audiences; none stands for the default ones.
    package init(audiences: [String] = []) {
        self.audiences = ASCII.sortedByBytes(Set(audiences.isEmpty ? Self.defaultAudiences : audiences))
        fingerprint = Fingerprint(of: JSONValue.strings(self.audiences).encoded())
    }

    /// What takes a token that either takes.
    package static func union(_ left: TokenReviewPolicy?, _ right: TokenReviewPolicy?) -> TokenReviewPolicy? {
        guard let left, let right else { return left ?? right }
        return TokenReviewPolicy(audiences: left.audiences + right.audiences)
    }

    /// What the cluster's answer means here.
    func verdict(_ status: TokenReviewStatus) -> ReviewedToken.Verdict {
        guard case .authenticated(let user, let audiences) = status else { return .refused(.authInvalidToken) }
        // A server that names no audience has not looked at them: the token is then one for the API server itself.
        guard audiences.contains(where: { text in self.audiences.contains { $0.isExactly(text) } }) else {
            return .refused(.authInvalidAudience)
        }
        return .known(user, audiences: audiences)
    }
}
