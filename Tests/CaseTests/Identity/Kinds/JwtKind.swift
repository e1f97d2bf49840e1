// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func jwt(_ record: CaseRecord) async throws {
        let given = record.given
        let keys = try JWTCaseKeys(given["keys"])
        let issuers = try IssuerTable(entries: try issuerEntries(given, keys))
        let verifier = JWTVerifier(remoteKeys: .forCases())
        let now = ManualClock().now()
        for (index, row) in record.rows.enumerated() {
            let text = try keys.token(try #require(row["given"]?["token"]))
            let expect = try #require(row["expect"]?.objectValue)
            // A second time from what is remembered.
            for _ in 0..<2 {
                switch verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: now) {
                case .verified(let principal):
                    #expect(expect["status"] == 200, "\(record.id) row \(index)")
                    expectMembers(
                        expect["principal"]?.objectValue ?? [:], in: principal.json(includingClaims: true), record.id)
                case .needsReview: Issue.record("\(record.id) row \(index): no cluster judges tokens here")
                case .refused(let refusal, _):
                    #expect(expect["status"] == .int(Int64(refusal.status)), "\(record.id) row \(index)")
                    #expect(expect["code"] == .string(refusal.code.rawValue), "\(record.id) row \(index)")
                }
            }
        }
    }

    private static func issuerEntries(_ given: JSONValue, _ keys: JWTCaseKeys) throws -> [IssuerEntry] {
        guard let issuers = given["issuers"]?.arrayValue else {
            let settings = given["settings"] ?? [:]
            func set(_ name: String) throws -> [String] {
                try TextRules.stringSet(settings["TOLLGATE_AUTH_\(name)"] ?? .null)
            }
            let algorithms = try set("ALLOWED_ALGORITHMS").compactMap(SignatureAlgorithm.init(rawValue:))
            return [
                IssuerEntry(
                    name: "global", issuer: settings["TOLLGATE_AUTH_ISSUER"]?.stringValue,
                    secret: settings["TOLLGATE_AUTH_JWT_SECRET"]?.stringValue.map { Redacted(Array($0.utf8)) },
                    staticKeys: try keys.set(given["published"]), audiences: try set("AUDIENCE"),
                    algorithms: algorithms.isEmpty ? SignatureAlgorithm.allowedByDefault : Set(algorithms),
                    platform: true)
            ]
        }
        return try issuers.enumerated().map { index, issuer in
            func texts(_ name: String) -> [String] { issuer[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
            let algorithms = texts("algorithms").compactMap(SignatureAlgorithm.init(rawValue:))
            return IssuerEntry(
                name: "issuer-\(index)", issuer: issuer["issuer"]?.stringValue,
                secret: issuer["secret"]?.stringValue.map { Redacted(Array($0.utf8)) },
                staticKeys: try keys.set(issuer["keys"]), audiences: texts("audiences"),
                algorithms: algorithms.isEmpty ? SignatureAlgorithm.allowedByDefault : Set(algorithms),
                requiredClaims: texts("required_claims"), tenant: issuer["tenant"]?.stringValue,
                platform: issuer["platform"]?.boolValue ?? false)
        }
    }
}

/// The keys that a case names.
private struct JWTCaseKeys {
    private var keys: [String: TokenForge.Key] = [:]
    private var jwks: [String: JSONValue] = [:]

    init(_ given: JSONValue?) throws {
        for member in given?.objectValue?.members ?? [] {
            let key: TokenForge.Key =
                member.value["kty"] == "RSA"
                ? try TokenForge.rsa(bits: Int(member.value["bits"]?.intValue ?? 2048))
                : TokenForge.curve(member.value["crv"]?.stringValue ?? "")
            keys[member.name] = key
            jwks[member.name] = try TokenForge.jwk(
                key, kid: member.value["kid"]?.stringValue, alg: member.value["alg"]?.stringValue,
                use: member.value["use"]?.stringValue)
        }
    }

    func set(_ names: JSONValue?) throws -> KeySet? {
        guard let names = names?.arrayValue?.compactMap(\.stringValue) else { return nil }
        return try KeySet(json: ["keys": .array(names.compactMap { jwks[$0] })])
    }

    func token(_ token: JSONValue) throws -> String {
        let name = try #require(token["sign_with"]?.stringValue)
        let text = try TokenForge.token(
            header: try #require(token["header"]), claims: try #require(token["claims"]), key: try key(name))
        guard token["tamper"] == "signature", let dot = text.lastIndex(of: ".") else { return text }
        let first = text[text.index(after: dot)]
        return text[...dot] + (first == "A" ? "B" : "A") + text[text.index(dot, offsetBy: 2)...]
    }

    private func key(_ name: String) throws -> TokenForge.Key? {
        if name == "none" { return nil }
        guard name.hasPrefix("secret:") else {
            let key = try #require(keys[name], "no key \(name)")
            return key
        }
        let secret = String(name.dropFirst("secret:".count))
        guard secret.hasPrefix("<PEM of "), case .rsa(let key)? = keys[String(secret.dropFirst(8).dropLast())] else {
            return .secret(Array(secret.utf8))
        }
        return .secret(Array(key.publicPEM.utf8))
    }
}
