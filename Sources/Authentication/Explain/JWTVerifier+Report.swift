// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension JWTVerifier {
    /// Tells how a token is checked, step by step. Changes nothing: no token is remembered, no key set asked for.
    func report(
        _ text: String, issuers: IssuerTable, certificateThumbprint: String?, now: Timestamp
    ) -> CredentialReport {
        var result = SignedTokenReport(now: now)
        var holder = CredentialReport.Holder.nobody
        let token: CompactToken
        switch Self.read(text) {
        case .success(let read): token = read
        case .failure(let refusal):
            if refusal.code == .authUnsupportedAlgorithm { result.unsupportedAlgorithm() } else { result.unreadable() }
            return CredentialReport(explanation: result.explanation)
        }
        result.header(token)
        let entry = issuers.entry(issuer: token.claims["iss"]?.stringValue)
        result.issuer(token.claims["iss"], entry: entry?.entry, known: issuers.entries.map(\.issuer))
        if let entry, result.algorithm(token.algorithm, of: entry.entry),
            result.key(finding(for: token, entry, now), of: entry.entry)
        {
            let checks = ClaimChecks(entry: entry.entry, certificateThumbprint: certificateThumbprint, now: now)
            result.claims(token.claims, of: entry.entry, checks: checks)
            let tenant = ClaimReader(token.claims).nestedText("tenant_id", "tenant")
            holder = .tenant(entry.entry.tenant ?? tenant)
        }
        return CredentialReport(explanation: result.explanation, holder: holder)
    }

    private static func read(_ text: String) -> Result<CompactToken, Refusal> {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count <= CompactToken.maximumTextBytes else { return .failure(Refusal(.authInvalidToken)) }
            do throws(Refusal) {
                return .success(try CompactToken(text: bytes))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Looks for the key of a token as the verifier does, and checks the signature with it.
    private func finding(
        for token: CompactToken, _ issuer: IssuerTable.Compiled, _ now: Timestamp
    ) -> SignedTokenReport.KeyFinding {
        if token.algorithm.usesSharedSecret {
            guard let secret = issuer.secret else { return .noSource }
            let holds = secret.verifies(token.signature, over: token.signedBytes, algorithm: token.algorithm)
            return .found(source: .secret, keyID: nil, holds: holds)
        }
        let keyID: String?
        switch token.keyID {
        case .absent: keyID = nil
        case .named(let name): keyID = name
        case .unusable: return .unusableKeyID
        }
        let given = issuer.entry.staticKeys
        let candidates = given?.candidates(algorithm: token.algorithm, keyID: keyID) ?? []
        if !candidates.isEmpty {
            return Self.finding(candidates, source: .given, known: given?.knownIdentifiers ?? [], token)
        }
        guard let source = issuer.entry.remote else {
            return given.map { .unfit(candidates: 0, known: $0.knownIdentifiers) } ?? .noSource
        }
        guard let keys = remoteKeys.slot(for: source)?.keys(now: now) else { return .unavailable(label: source.label) }
        let known = (given?.knownIdentifiers ?? []) + keys.knownIdentifiers
        return Self.finding(
            keys.candidates(algorithm: token.algorithm, keyID: keyID), source: .fetched(label: source.label),
            known: known, token)
    }

    private static func finding(
        _ candidates: [KeySet.Key], source: SignedTokenReport.KeySource, known: [String], _ token: CompactToken
    ) -> SignedTokenReport.KeyFinding {
        guard candidates.count == 1, let key = candidates.first else {
            return .unfit(candidates: candidates.count, known: known)
        }
        let holds = key.publicKey.verifies(token.signature, over: token.signedBytes, algorithm: token.algorithm)
        return .found(source: source, keyID: key.identifier, holds: holds)
    }
}
