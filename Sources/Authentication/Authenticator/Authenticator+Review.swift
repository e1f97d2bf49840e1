// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// MARK: - Tokens of the cluster

extension Authenticator {
    /// How the cluster's token stands where it may be presented.
    enum ReviewStanding {
        /// It is not the cluster's to judge.
        case foreign
        case settled(ReviewedToken)
        case refused(ErrorCode)
        case pending(PendingReview)
    }

    /// How much later than the token's end a server may still take it; after that it is not asked.
    private static let expiryLeewaySeconds: Int64 = 60

    /// Asks the cluster about a token that a request waits for. `authenticate` the request again with what comes out.
    ///
    /// - Parameter timeLeft: the question takes so long at most; nil = its own bound.
    package func review(_ pending: PendingReview, timeLeft: Duration? = nil) async -> ReviewedToken {
        await reviews?.review(pending, timeLeft: timeLeft) ?? pending.reviewed(.unavailable(retryAfterSeconds: 1))
    }

    /// Verifies what has the shape of a signed token: by its issuer's keys, or by what the cluster has said about it.
    func verifySigned(
        _ text: String, _ request: AuthenticationRequest, _ realm: AuthenticationRealm, _ now: Timestamp
    ) -> AuthenticationOutcome {
        if let policy = realm.tokenReview, let reviews {
            switch standing(text, policy, reviews, realm.issuers, given: request.review, now) {
            case .foreign: break
            case .settled(let token): return token.outcome(realm.mappings)
            case .refused(let code): return .refused(Refusal(code), identity: nil)
            case .pending(let pending): return .needsReview(pending)
            }
        }
        let certificate = request.clientCertificate.flatMap { ForwardedCertificate.parse($0) }
        return jwt.verify(text, issuers: realm.issuers, certificateThumbprint: certificate?.thumbprint, now: now)
    }

    func standing(
        _ text: String, _ policy: TokenReviewPolicy, _ reviews: TokenReviews, _ issuers: IssuerTable,
        given: ReviewedToken?, _ now: Timestamp
    ) -> ReviewStanding {
        var text = text
        let key = PendingReview.Key(
            text: text.withUTF8 { Fingerprint(of: UnsafeRawBufferPointer($0)) }, audiences: policy.fingerprint)
        if let given, given.key == key { return .settled(given) }
        if let kept = reviews.kept(key, now: now), let issuer = kept.issuer,
            reviews.judges(issuer: issuer, beside: issuers)
        {
            return .settled(kept)
        }
        // A text that is no token is refused where all of them are.
        guard let token = text.withUTF8({ try? CompactToken(text: $0) }),
            let issuer = token.claims["iss"]?.stringValue, !issuer.isEmpty,
            reviews.judges(issuer: issuer, beside: issuers)
        else { return .foreign }
        if let stated = token.claims["exp"] {
            guard stated.kindName == "number", let expiry = Timestamp(claim: stated) else {
                return .refused(.authInvalidToken)
            }
            // No server takes it any more: the question would cost one of somebody whose token is good.
            guard now < expiry.adding(seconds: Self.expiryLeewaySeconds) else { return .refused(.authTokenExpired) }
        }
        return .pending(PendingReview(token: text, key: key, policy: policy, claims: token.claims))
    }
}

// MARK: - Explaining

extension Authenticator {
    /// Tells what the cluster has said about a token; nil where it is not the cluster's to judge. Asks nobody.
    func reviewReport(
        _ text: String, _ request: AuthenticationRequest, _ realm: AuthenticationRealm, _ now: Timestamp
    ) -> CredentialReport? {
        guard let policy = realm.tokenReview, let reviews else { return nil }
        let standing = standing(text, policy, reviews, realm.issuers, given: request.review, now)
        let audiences = CredentialReport.list(policy.audiences)
        var result = Explanation()
        var holder = CredentialReport.Holder.nobody
        switch standing {
        case .foreign: return nil
        case .refused(let code):
            let isOver = code == .authTokenExpired
            result.say(.asker, isOver ? "it has expired: the cluster is not asked" : "exp is no number of seconds")
            result.mend(.asker, "Get a new token from the cluster.")
        case .pending:
            result.say(.host, "only the cluster can judge it (TokenReview), and was not asked")
        case .settled(let token):
            result.say(.host, "the cluster was asked (TokenReview) for audience \(audiences)")
            holder = tell(token, audiences: audiences, mappings: realm.mappings, in: &result)
        }
        return CredentialReport(explanation: result, holder: holder)
    }

    private func tell(
        _ token: ReviewedToken, audiences: String, mappings: IdentityMappings, in result: inout Explanation
    ) -> CredentialReport.Holder {
        switch token.verdict {
        case .known(let user, _):
            let grant = mappings.grant(subject: user.username, groups: user.groups)
            result.say(.host, "it knows \(CredentialReport.shown(user.username))")
            let hasNothing = grant.roles.isEmpty && grant.scopes.isEmpty
            if hasNothing {
                result.say(.host, "no mapping gives this caller anything")
                result.mend(.host, "Add it, or one of its groups, to spec.mappings of the AuthConfig.")
            }
            return .tenant(grant.tenant)
        case .refused(let code):
            result.say(
                .host, code == .authInvalidAudience ? "the token is for another audience" : "it does not know the token"
            )
            result.mend(
                .asker,
                "Send a projected service account token for audience \(audiences), made by this cluster and not expired."
            )
        case .unavailable:
            result.say(.installation, "it could not be asked")
            result.mend(
                .installation,
                "Try again in some seconds; if it stays, see the log: the API server is away, or rbac.tokenReview is off."
            )
        }
        return .nobody
    }
}
