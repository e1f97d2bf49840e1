// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What is demanded of the claims once the signature held: steps 7 to 10 of the checks, in that order.
struct ClaimChecks {
    let entry: IssuerEntry
    /// The SHA-256 of the client's certificate in base64url; nil without one.
    let certificateThumbprint: String?
    let now: Timestamp

    /// The instant from which the token is refused.
    ///
    /// - Throws: `auth.invalid_token`, `auth.token_expired`, `auth.invalid_audience`.
    func check(_ claims: JSONObject) throws(Refusal) -> Timestamp {
        let end = try times(claims)
        try audience(claims)
        try purpose(claims)
        guard Self.isBound(claims, to: certificateThumbprint) else { throw Refusal(.authInvalidToken) }
        return end
    }

    private func times(_ claims: JSONObject) throws(Refusal) -> Timestamp {
        let latestStart = now.adding(seconds: entry.leewaySeconds)
        let (issued, notBefore) = (try time(claims["iat"]), try time(claims["nbf"]))
        let expiry = try time(claims["exp"])
        guard (issued ?? now) <= latestStart, (notBefore ?? now) <= latestStart, let expiry else {
            throw Refusal(.authInvalidToken)
        }
        let end = expiry.adding(seconds: entry.leewaySeconds)
        guard now < end else { throw Refusal(.authTokenExpired) }
        return end
    }

    private func time(_ value: JSONValue?) throws(Refusal) -> Timestamp? {
        guard let value else { return nil }
        guard value.kindName == "number", let time = Timestamp(claim: value) else { throw Refusal(.authInvalidToken) }
        return time
    }

    private func audience(_ claims: JSONObject) throws(Refusal) {
        guard !entry.audiences.isEmpty || entry.authorizedParty != nil else { return }
        if let party = entry.authorizedParty, claims["azp"]?.stringValue?.isExactly(party) ?? false { return }
        guard let value = claims["aud"], !value.isNull else { throw Refusal(.authInvalidToken) }
        let wanted = entry.audiences + [entry.authorizedParty].compactMap { $0 }
        let given = ClaimsMapper.audience(value)
        guard given.contains(where: { text in wanted.contains { $0.isExactly(text) } }) else {
            throw Refusal(.authInvalidAudience)
        }
    }

    private func purpose(_ claims: JSONObject) throws(Refusal) {
        for name in entry.requiredClaims where claims[name]?.isNull ?? true { throw Refusal(.authInvalidToken) }
        for name in ["typ", "token_use"] {
            switch claims[name]?.stringValue.map(ASCII.lowercased) {
            case "refresh", "offline", "logout": throw Refusal(.authInvalidToken)
            case "id" where !entry.acceptsIDTokens: throw Refusal(.authInvalidToken)
            default: continue
            }
        }
    }

    /// Whether the token is good for a client with this certificate (RFC 8705 section 3.1).
    static func isBound(_ claims: JSONObject, to thumbprint: String?) -> Bool {
        guard let demanded = claims["cnf"]?["x5t#S256"] else { return true }
        guard let demanded = demanded.stringValue, let thumbprint else { return false }
        return demanded.isExactly(thumbprint)
    }
}
