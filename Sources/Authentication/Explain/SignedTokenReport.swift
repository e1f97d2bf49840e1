// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Explains a signed token: the same checks as the verifier's, in the same order, telling what each one compared.
struct SignedTokenReport {
    /// Where its key was found.
    enum KeySource: Sendable, Hashable {
        case secret
        case given
        case fetched(label: String)

        fileprivate var text: String {
            switch self {
            case .secret: "the shared secret"
            case .given: "the given key set"
            case .fetched(let label): "the fetched key set \(label)"
            }
        }
    }

    /// What looking for its key came to.
    enum KeyFinding {
        case found(source: KeySource, keyID: String?, holds: Bool)
        /// No key of the known sets fits, or several do.
        case unfit(candidates: Int, known: [String])
        /// The token's key id is no text.
        case unusableKeyID
        /// The entry has no key of that kind.
        case noSource
        /// The key set could not be fetched, or a newer one is being fetched.
        case unavailable(label: String)
    }

    private(set) var explanation = Explanation()
    let now: Timestamp

    init(now: Timestamp) { self.now = now }

    mutating func unreadable() {
        explanation.say(.asker, "the text has two dots and is no signed token: three parts of base64url, JSON objects")
        explanation.mend(.asker, "Send the access token as the issuer gave it.")
    }

    mutating func unsupportedAlgorithm() {
        explanation.say(.asker, "the algorithm in its header is not supported")
        explanation.mend(.asker, "Have the issuer sign with \(CredentialReport.list(Self.supported)).")
    }

    private static let supported = SignatureAlgorithm.allCases.map(\.rawValue)

    /// What the header says.
    mutating func header(_ token: CompactToken) {
        let keyID: String
        switch token.keyID {
        case .absent: keyID = "no key id"
        case .named(let name): keyID = "key id \(CredentialReport.shown(name))"
        case .unusable: keyID = "a key id that is no text"
        }
        explanation.say(.asker, "algorithm \(token.algorithm.rawValue), \(keyID)")
    }

    /// Which entry its issuer chose.
    mutating func issuer(_ claimed: JSONValue?, entry: IssuerEntry?, known: [String?]) {
        let said = claimed?.stringValue.map { "issuer \(CredentialReport.shown($0))" } ?? "no issuer"
        if let entry {
            let chosen = entry.issuer.map { "issuer \(CredentialReport.shown($0))" } ?? "any issuer"
            explanation.say(.host, "\(said): entry \(entry.name) (\(chosen))")
            return
        }
        let names = CredentialReport.list(known.compactMap { $0 })
        explanation.say(.host, "\(said): none of the accepted ones (\(names))")
        explanation.mend(
            .host,
            claimed?.stringValue == nil
                ? "Use a token that says its issuer (iss), one of: \(names)."
                : "Add the issuer to spec.issuers of the AuthConfig, exactly as the token says it, or use a token of: \(names)."
        )
    }

    /// The entry's algorithms. Returns whether the check passes.
    mutating func algorithm(_ algorithm: SignatureAlgorithm, of entry: IssuerEntry) -> Bool {
        guard !entry.algorithms.contains(algorithm) else { return true }
        let allowed = CredentialReport.list(entry.algorithms.map(\.rawValue).sorted())
        explanation.say(.host, "algorithm \(algorithm.rawValue) is not among those of entry \(entry.name): \(allowed)")
        explanation.mend(
            .host,
            "Have the issuer sign with one of \(allowed), or add \(algorithm.rawValue) to the entry's algorithms.")
        return false
    }

    /// The key and the signature. Returns whether the check passes.
    mutating func key(_ finding: KeyFinding, of entry: IssuerEntry) -> Bool {
        switch finding {
        case .found(let source, let keyID, let holds):
            let key = keyID.map { "key \(CredentialReport.shown($0)) of \(source.text)" } ?? source.text
            explanation.say(.host, "signature checked with \(key): \(holds ? "good" : "wrong")")
            if !holds {
                explanation.mend(
                    .host,
                    "The token was changed, or signed with another key than \(key): get a new one from the issuer.")
            }
            return holds
        case .unfit(let candidates, let known):
            let ids = CredentialReport.list(known)
            explanation.say(
                .host, candidates == 0 ? "no key fits; key ids of the set: \(ids)" : "\(candidates) keys fit: \(ids)")
            explanation.mend(
                .host,
                candidates == 0
                    ? "Check that the issuer publishes this key, for this algorithm, in the key set of entry \(entry.name)."
                    : "Have the issuer name the key (kid) in its tokens.")
        case .unusableKeyID:
            explanation.say(.asker, "the key id is no text: no key can have it")
            explanation.mend(.asker, "Have the issuer write kid as a text.")
        case .noSource:
            explanation.say(.host, "entry \(entry.name) has no key for this algorithm")
            explanation.mend(
                .host, "Give the entry a key source for this algorithm: a secret for HS*, keys for the others.")
        case .unavailable(let label):
            explanation.say(.host, "the key set \(label) is not there, or a newer one is being fetched")
            explanation.mend(
                .host, "Try again in some seconds; if it stays, see why \(label) cannot be fetched (log, metrics).")
        }
        return false
    }

    /// The claims of a token whose signature held.
    mutating func claims(_ claims: JSONObject, of entry: IssuerEntry, checks: ClaimChecks) {
        times(claims, leeway: entry.leewaySeconds)
        audience(claims, entry)
        for name in entry.requiredClaims where claims[name]?.isNull ?? true {
            explanation.say(.host, "claim \(CredentialReport.shown(name)) is required and absent")
            explanation.mend(.host, "Have the issuer put \(CredentialReport.shown(name)) into its tokens.")
        }
        purpose(claims, entry)
        if !ClaimChecks.isBound(claims, to: checks.certificateThumbprint) {
            explanation.say(.asker, "the token is bound to another client certificate (cnf)")
            explanation.mend(.asker, "Call with the certificate that the token was made for.")
        }
        tenant(claims, entry)
    }

    private mutating func times(_ claims: JSONObject, leeway: Int64) {
        let allowed = "now \(now.rfc3339), leeway \(leeway) s"
        for name in ["iat", "nbf"] {
            guard let value = claims[name] else { continue }
            guard let time = number(value) else {
                explanation.say(.asker, "\(name) is no number of seconds")
                explanation.mend(.asker, "Have the issuer write \(name) as a JSON number.")
                continue
            }
            guard time > now.adding(seconds: leeway) else { continue }
            explanation.say(.asker, "\(name) \(time.rfc3339) is ahead: \(allowed)")
            explanation.mend(.asker, "Wait until then, or set the issuer's clock.")
        }
        guard let expiry = claims["exp"].flatMap(number) else {
            explanation.say(.asker, "exp is absent or no number of seconds")
            explanation.mend(.asker, "Have the issuer give its tokens an end (exp).")
            return
        }
        let isOver = now >= expiry.adding(seconds: leeway)
        explanation.say(.asker, "\(isOver ? "expired" : "expires") at \(expiry.rfc3339), \(allowed)")
        if isOver { explanation.mend(.asker, "Get a new token from the issuer.") }
    }

    private func number(_ value: JSONValue) -> Timestamp? {
        value.kindName == "number" ? Timestamp(claim: value) : nil
    }

    private mutating func audience(_ claims: JSONObject, _ entry: IssuerEntry) {
        let wanted = entry.audiences + [entry.authorizedParty].compactMap { $0 }
        guard !wanted.isEmpty else { return }
        let given = ClaimsMapper.audience(claims["aud"])
        let isParty = entry.authorizedParty.map { claims["azp"]?.stringValue?.isExactly($0) ?? false } ?? false
        let isMet = isParty || given.contains { text in wanted.contains { $0.isExactly(text) } }
        explanation.say(
            .host, "audience \(CredentialReport.list(given)), accepted: \(CredentialReport.list(wanted))")
        guard !isMet else { return }
        explanation.mend(
            .host,
            "Ask the issuer for a token for one of \(CredentialReport.list(wanted)), or add the token's audience to the entry's audiences."
        )
    }

    private mutating func purpose(_ claims: JSONObject, _ entry: IssuerEntry) {
        for name in ["typ", "token_use"] {
            let use = claims[name]?.stringValue.map(ASCII.lowercased)
            guard ["refresh", "offline", "logout"].contains(use) || use == "id" && !entry.acceptsIDTokens else {
                continue
            }
            explanation.say(.asker, "\(name) says \(use ?? ""): no access token")
            explanation.mend(.asker, "Send the access token, not the \(use ?? "other") token.")
        }
    }

    private mutating func tenant(_ claims: JSONObject, _ entry: IssuerEntry) {
        guard let pinned = entry.tenant, let claimed = ClaimReader(claims).nestedText("tenant_id", "tenant") else {
            return
        }
        guard !claimed.isExactly(pinned) else { return }
        explanation.say(
            .host, "tenant \(CredentialReport.shown(claimed)), the entry's is \(CredentialReport.shown(pinned))")
        explanation.mend(.host, "Use a token of tenant \(CredentialReport.shown(pinned)).")
    }
}
