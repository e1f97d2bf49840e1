// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A token that only the cluster can judge, and that it has to be asked about.
package final class PendingReview: Sendable {
    /// Under which answers are kept: the token and the audiences that were asked for.
    struct Key: Sendable, Hashable {
        let text: Fingerprint
        let audiences: Fingerprint
    }

    let token: Redacted<String>
    let key: Key
    let policy: TokenReviewPolicy
    /// What the token says of itself; believed once the cluster knows it.
    let claims: JSONObject

    init(token: String, key: Key, policy: TokenReviewPolicy, claims: JSONObject) {
        self.token = Redacted(token)
        self.key = key
        self.policy = policy
        self.claims = claims
    }

    /// What was found out about it.
    func reviewed(_ verdict: ReviewedToken.Verdict) -> ReviewedToken {
        ReviewedToken(key: key, claims: claims, verdict: verdict)
    }
}

/// What became of the question about a token.
package final class ReviewedToken: Sendable {
    enum Verdict: Sendable, Hashable {
        case known(ReviewedUser, audiences: [String])
        case refused(ErrorCode)
        /// The cluster could not be asked.
        case unavailable(retryAfterSeconds: Int64)
    }

    let key: PendingReview.Key
    let issuer: String?
    let issuedAt: Timestamp?
    let expiresAt: Timestamp?
    let verdict: Verdict

    init(key: PendingReview.Key, claims: JSONObject, verdict: Verdict) {
        self.key = key
        issuer = claims["iss"]?.stringValue
        issuedAt = claims["iat"].flatMap(Timestamp.init(claim:))
        expiresAt = claims["exp"].flatMap(Timestamp.init(claim:))
        self.verdict = verdict
    }

    /// The caller, with what the mappings give it, which may be nothing.
    func outcome(_ mappings: IdentityMappings) -> AuthenticationOutcome {
        switch verdict {
        case .refused(let code): .refused(Refusal(code), identity: nil)
        case .unavailable(let seconds):
            .refused(Refusal(.authReviewUnavailable, retryAfterSeconds: seconds), identity: nil)
        case .known(let user, let audiences): .verified(principal(user, audiences, mappings))
        }
    }

    private func principal(
        _ user: ReviewedUser, _ audiences: [String], _ mappings: IdentityMappings
    ) -> Principal {
        let name = user.username
        let subject = ClaimsMapper.reservedSubjects.contains(name) ? "kubernetes:\(name)" : name
        let grant = mappings.grant(subject: name, groups: user.groups)
        let claims: JSONObject = [
            "iss": .optional(issuer), "username": .string(name), "uid": .optional(user.uid),
            "groups": .strings(user.groups), "extra": .object(user.extra),
        ]
        return Principal(
            subject: subject, identityType: .service, authSource: .kubernetes,
            tokenID: Self.credentialID(user.extra) ?? subject, accountID: grant.tenant ?? subject,
            tenantID: grant.tenant, workspaceIDs: grant.workspaces.filter { $0 != "*" }, roles: grant.roles,
            groups: user.groups, scopes: grant.scopes, issuer: issuer, audience: audiences, issuedAt: issuedAt,
            expiresAt: expiresAt, claims: claims)
    }

    /// The token's own id, as servers since 1.30 tell it: `JTI=…`.
    private static func credentialID(_ extra: JSONObject) -> String? {
        guard let text = extra["authentication.kubernetes.io/credential-id"]?.arrayValue?.first?.stringValue,
            text.hasPrefix("JTI="), (5...256).contains(text.utf8.count)
        else { return nil }
        return String(text.dropFirst(4))
    }
}
