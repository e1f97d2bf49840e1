// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// Tokens that were changed at random, from a seed: none may verify and none may crash. `TOLLGATE_FUZZ_CASES` sets how many, for longer runs.
@Suite struct JWTFuzzTests {
    private static let cases = FuzzCases.count(20_000)
    private static let interesting: [[UInt8]] = [
        [], [0], [0x2E], [0x3D], [0xFF], [0xC3, 0x28], Array("..".utf8), Array("eyJhbGciOiJub25lIn0".utf8),
        Array("e30".utf8),
        Array("A".utf8), Array("=".utf8), Array("\u{FEFF}".utf8),
    ]

    // The decoder refuses loose bits, so text that differs from every seed is another token.
    @Test func neverVerifiesAChangedToken() throws {
        let random = SeededRandom(seed: 0x746F_6C6C)
        let now = ManualClock().now()
        let keys = try TestKeys.set(
            TokenForge.jwk(TestKeys.p256, kid: "e"), TokenForge.jwk(TestKeys.ed25519, kid: "o"),
            TokenForge.jwk(try TestKeys.rsa.get(), kid: "r"))
        let issuers = try IssuerTable(entries: [
            IssuerEntry(
                name: "fuzz", secret: Redacted(Array(TestKeys.secretText.utf8)), staticKeys: keys,
                algorithms: Set(SignatureAlgorithm.allCases), platform: true)
        ])
        let claims: JSONValue = [
            "sub": "user", "exp": .int(now.seconds + 600), "scope": "a:b c:d", "roles": ["editor"],
            "tollgate": ["workspaces": ["w"]], "realm_access": ["roles": ["viewer"]],
        ]
        // Mostly HMAC, because it is fast and what is fuzzed is the reading.
        let seeds = try [
            ("HS256", "h", TestKeys.secret), ("HS384", "h", TestKeys.secret), ("HS512", "h", TestKeys.secret),
            ("ES256", "e", TestKeys.p256), ("EdDSA", "o", TestKeys.ed25519), ("RS256", "r", TestKeys.rsa.get()),
        ].map { alg, kid, key in
            try TokenForge.token(header: ["alg": .string(alg), "kid": .string(kid)], claims: claims, key: key)
        }
        let verifier = JWTVerifier(remoteKeys: .forTests())
        for seed in seeds {
            #expect(verifier.verify(seed, issuers: issuers, certificateThumbprint: nil, now: now).code == "verified")
        }
        for index in 0..<Self.cases {
            let seed = index % 16 < 3 ? seeds[3 + index % 3] : seeds[index % 3]
            let text = Self.changed(seed, seeds, random)
            guard !seeds.contains(text) else { continue }
            let outcome = verifier.verify(text, issuers: issuers, certificateThumbprint: nil, now: now)
            if outcome.principal != nil { Issue.record("case \(index) verified: \(text)") }
        }
        #expect(verifier.rememberedTokens == seeds.count)
    }

    private static func changed(_ seed: String, _ seeds: [String], _ random: SeededRandom) -> String {
        var bytes = Array(seed.utf8)
        for _ in 0...random.below(3) {
            let at = random.below(bytes.count + 1)
            switch random.below(8) {
            case 0 where at < bytes.count: bytes[at] ^= UInt8(1 << random.below(8))
            case 1 where at < bytes.count: bytes.remove(at: at)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
            case 3: bytes.insert(contentsOf: interesting[random.below(interesting.count)], at: at)
            case 4: bytes.removeSubrange(at..<min(bytes.count, at + random.below(40)))
            case 5:
                var parts = String(decoding: bytes, as: UTF8.self).components(separatedBy: ".")
                let other = seeds[random.below(seeds.count)].components(separatedBy: ".")
                let part = random.below(min(parts.count, 3))
                parts[part] = other[part]
                bytes = Array(parts.joined(separator: ".").utf8)
            case 6: bytes = rewritten(bytes, random)
            default: if at < bytes.count { bytes[at] = Array("AZaz09-_.=".utf8)[random.below(10)] }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Changes the JSON inside of the header or the payload.
    private static func rewritten(_ bytes: [UInt8], _ random: SeededRandom) -> [UInt8] {
        var parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        let part = random.below(min(2, parts.count))
        guard var json = Base64URL.decode(parts[part]), !json.isEmpty else { return bytes }
        json[random.below(json.count)] = Array("{}[]\":,\\019eE-. \u{0}tn".utf8)[random.below(18)]
        parts[part] = Array(Base64URL.encode(json).utf8)
        return Array(parts.joined(separator: [UInt8(ascii: ".")]))
    }
}
