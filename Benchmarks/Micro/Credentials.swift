// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport

/// The credentials that the benchmark presents: stored tokens and signed ones.
struct Credentials {
    /// What one algorithm is measured with: tokens that differ, and what their issuer needs.
    struct Signed {
        let algorithm: SignatureAlgorithm
        let issuer: String
        let tokens: [String]
        let entry: IssuerEntry
    }

    static let algorithms: [SignatureAlgorithm] = [.hs256, .rs256, .ps256, .es256, .es384, .edDSA]

    let table: ServiceTokenTable
    /// Texts of the stored tokens, in the order of their identifiers.
    let stored: [String]
    let signed: [Signed]
    let keys: APIKeyTable
    /// Texts of the stored keys.
    let keyTexts: [String]

    /// - Parameter stored: how many tokens the one table holds, and keys the other.
    init(stored count: Int, now: Timestamp) throws {
        let random = SeededRandom(seed: 7)
        table = ServiceTokenTable(heardAt: now)
        var texts: [String] = []
        var records: [ServiceTokenRecord] = []
        for number in 0..<count {
            let text = TokenText.generate(
                prefix: TokenPrefixes.serviceToken, id: TokenText.generateIdentifier(random: random), random: random
            ).revealed
            guard case .wellFormed(_, let id) = TokenText.read(text, prefixes: TokenPrefixes()) else { continue }
            texts.append(text)
            let grant = ServiceTokenGrant(
                scopes: ["agent:read", "tasks:read"], workspaceIDs: ["ws-\(number % 100)"], tenantID: "acme")
            records.append(
                ServiceTokenRecord(
                    identifier: id, secretDigest: SecretDigest(of: text), grant: grant, issuedAt: now,
                    expiresAt: now.adding(seconds: 86_400), createdBy: "admin"))
        }
        table.put(records)
        stored = texts
        (keys, keyTexts) = Self.keys(count, now: now, random: random)
        signed = try Self.algorithms.map { try Self.sign($0, now: now) }
    }

    private static func keys(
        _ count: Int, now: Timestamp, random: SeededRandom
    ) -> (APIKeyTable, [String]) {
        let table = APIKeyTable(heardAt: now)
        var texts: [String] = []
        var records: [APIKeyRecord] = []
        for number in 0..<count {
            let id = TokenText.generateIdentifier(random: random)
            let text = TokenText.generate(prefix: TokenPrefixes().apiKeyStart(.live), id: id, random: random).revealed
            texts.append(text)
            records.append(
                APIKeyRecord(
                    id: id, secretDigest: SecretDigest(of: text),
                    grant: APIKeyGrant(
                        name: "key", accountID: "acme", tenantID: "acme", scopes: ["agent:read", "tasks:read"],
                        workspaceIDs: ["ws-\(number % 100)"]),
                    owner: APIKeyOwner.Identity(
                        issuer: "https://id.example", subject: "user-\(number % 1000)", tenantID: "acme"),
                    issuedAt: now, expiresAt: now.adding(seconds: 86_400), createdBy: "admin"))
        }
        let owners = (0..<1000).map { number in
            APIKeyOwner(
                identity: APIKeyOwner.Identity(
                    issuer: "https://id.example", subject: "user-\(number)", tenantID: "acme"), roles: ["editor"])
        }
        table.put(records, owners: owners)
        return (table, texts)
    }

    private static func sign(_ algorithm: SignatureAlgorithm, now: Timestamp) throws -> Signed {
        let issuer = "https://\(algorithm.rawValue.lowercased()).id.example"
        let key: TokenForge.Key =
            switch algorithm {
            case .hs256: .secret(Array("the-secret-of-the-benchmark-has-48-bytes-of-text".utf8))
            case .rs256, .ps256: try TokenForge.rsa()
            case .es384: TokenForge.curve("P-384")
            case .edDSA: TokenForge.curve("Ed25519")
            default: TokenForge.curve("P-256")
            }
        var entry = IssuerEntry(
            name: algorithm.rawValue, issuer: issuer, audiences: ["tollgate"], algorithms: [algorithm])
        if case .secret(let bytes) = key {
            entry.secret = Redacted(bytes)
        } else {
            let keys: JSONValue = ["keys": .array([try TokenForge.jwk(key, kid: "key-1", alg: algorithm.rawValue)])]
            entry.staticKeys = try KeySet(json: keys)
        }
        let header: JSONValue = ["alg": .string(algorithm.rawValue), "typ": "JWT", "kid": "key-1"]
        let seconds = now.microseconds / 1_000_000
        let tokens = try (0..<256).map { number in
            let claims: JSONValue = [
                "iss": .string(issuer), "aud": "tollgate", "sub": .string("user-\(number)"), "azp": "portal",
                "iat": .int(seconds), "exp": .int(seconds + 86_400), "jti": .string("token-\(number)"),
                "preferred_username": .string("user-\(number)"), "email": .string("user-\(number)@acme.example"),
                "realm_access": ["roles": ["editor", "offline_access"]], "scope": "openid profile", "tenant_id": "acme",
            ]
            return try TokenForge.token(header: header, claims: claims, key: key)
        }
        return Signed(algorithm: algorithm, issuer: issuer, tokens: tokens, entry: entry)
    }
}
