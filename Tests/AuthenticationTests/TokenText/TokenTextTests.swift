// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct TokenTextTests {
    private static let seed: UInt64 = 20_260_301

    @Test func readsBackWhatItMakes() {
        let random = SeededRandom(seed: Self.seed)
        let prefixes = TokenPrefixes(apiKey: "tgk", oldAPIKeys: ["fs"])
        let starts: [(String, TokenText.Kind)] = [
            ("tgs_", .serviceToken), ("tgk_live_", .apiKey), ("tgk_test_", .apiKey), ("fs_live_", .apiKey),
        ]
        for round in 0..<2000 {
            let (prefix, kind) = starts[random.below(starts.count)]
            let id = round % 2 == 0 ? TokenText.generateIdentifier(random: random) : Self.identifier(random)
            let text = TokenText.generate(prefix: prefix, id: id, random: random).revealed
            #expect(TokenText.read(text, prefixes: prefixes) == .wellFormed(kind, id: id), "\(text)")
            #expect(text.utf8.count == prefix.utf8.count + id.utf8.count + 50)
        }
    }

    @Test func noticesEveryChangedByte() {
        let random = SeededRandom(seed: Self.seed + 1)
        for _ in 0..<200 {
            let text = Array(TokenText.generate(prefix: "tgs_", id: "my-ci-token", random: random).revealed.utf8)
            for position in text.indices {
                var changed = text
                changed[position] ^= UInt8(1 << random.below(7))
                let reading = TokenText.read(String(decoding: changed, as: UTF8.self), prefixes: TokenPrefixes())
                if case .wellFormed = reading { Issue.record("byte \(position) of \(text) may change") }
            }
        }
    }

    @Test(arguments: [
        "", "tgs_", "tgs__", "tgk_live_", "tgs_a_", "tgs_\u{0}", "tgs_é_", "tgs_" + String(repeating: "a", count: 9000),
    ])
    func survivesWhatIsNoToken(_ text: String) {
        if case .wellFormed = TokenText.read(text, prefixes: TokenPrefixes()) { Issue.record("taken for a token") }
    }

    @Test(arguments: [
        ("a", true), ("a-b", true), ("0", true), ("-a", false), ("a-", false), ("A", false), ("a_b", false),
        ("", false),
        (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false), ("ä", false),
    ])
    func knowsIdentifiers(_ text: String, _ isGood: Bool) { #expect(TokenText.isIdentifier(text) == isGood) }

    @Test(arguments: [
        ("tgk", true), ("fs", true), ("a1", true), ("a", false), ("tgs", false), ("1a", false), ("Tgk", false),
        ("a-b", false), (String(repeating: "a", count: 17), false),
    ])
    func knowsPrefixes(_ text: String, _ isGood: Bool) { #expect(TokenPrefixes.isValid(text) == isGood) }

    @Test func drawsSecretsEvenly() {
        let random = SeededRandom(seed: Self.seed + 2)
        var counts: [Character: Int] = [:]
        for _ in 0..<1000 {
            let text = TokenText.generate(prefix: "tgs_", id: "a", random: random).revealed
            for character in text.dropFirst(6).prefix(43) { counts[character, default: 0] += 1 }
        }
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (550...850).contains($0) })
    }

    @Test func comparesDigestsByAllBytes() throws {
        let digest = SecretDigest(of: "secret")
        #expect(digest.matches(try #require(SecretDigest(hex: digest.hex))))
        for position in 0..<64 {
            var hex = Array(digest.hex)
            hex[position] = hex[position] == "0" ? "1" : "0"
            #expect(!digest.matches(try #require(SecretDigest(hex: String(hex)))))
        }
        #expect(SecretDigest(hex: "00") == nil)
    }

    private static func identifier(_ random: SeededRandom) -> String {
        let inner = random.text(random.below(60), from: "abcdefghijklmnopqrstuvwxyz0123456789-")
        return "a\(inner)z"
    }
}
